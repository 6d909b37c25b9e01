"""Rolling statistics of any amount of history, a bucket of series at a time, on one machine or on a Ray cluster.

Belongs here: how a history is divided and who computes which part. Does not belong here: the statistics (`rolling`).
"""

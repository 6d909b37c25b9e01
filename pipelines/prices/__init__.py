"""Normalisation of price observations: device, place, US dollars, and the benchmarks that they are held against."""

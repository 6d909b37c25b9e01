"""Contracts of tables, the models beside them, and the data dictionary that is generated from both."""

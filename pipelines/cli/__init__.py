"""The command line `breakeven`."""

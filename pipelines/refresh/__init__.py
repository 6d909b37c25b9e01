"""One refresh from its lock to its record."""

"""Rules on data and their verdicts."""

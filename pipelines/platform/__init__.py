"""What every room stands on: settings, paths, the refresh lock, the clock, files and Parquet. Knows nothing of prices."""

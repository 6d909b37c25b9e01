"""From a source to its raw table: which sources there are, fetching, stored snapshots, parsing."""

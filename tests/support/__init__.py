"""What several tests build alike: tables, feeds, snapshots, servers, a command line. No test is here."""

"""Versions under data/published: written aside, verified, made current by one rename; read again by the command line."""

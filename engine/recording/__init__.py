"""Recordings: a session in one SQLite file that can be replayed, verified and compared."""

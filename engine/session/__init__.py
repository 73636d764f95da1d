"""A cursor in a run that goes both ways: history, journal, branches."""

"""The experiment: all that determines a run, read from files."""

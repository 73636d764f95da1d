"""One number of a run: the terms that make it, with their values, and where each comes from."""

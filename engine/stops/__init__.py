"""Stops and watches: where a run is to halt, and what is looked at."""

"""A run, whatever made it: phases, ops, positions, events, timeline and source."""

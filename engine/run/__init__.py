"""A run as everybody sees it: phases, ops, positions, events."""

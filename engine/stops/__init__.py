"""Stops and watches: what halts a run, and expressions evaluated at the cursor."""

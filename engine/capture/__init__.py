"""A PyTorch run as a timeline: what the script in its own process tells, and what is made of it."""

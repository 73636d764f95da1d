"""What is shown: one frozen snapshot, and how a tensor is looked at."""

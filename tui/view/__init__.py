"""What is shown: one frozen snapshot of the session, and how its tensors are displayed."""

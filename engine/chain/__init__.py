"""The chain rule between two tensors."""

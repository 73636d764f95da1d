"""The losses, a file each: value, gradient, Jacobian, formula, PyTorch."""

"""The differentiable functions, one place each: value, derivative, Jacobian, formula, PyTorch."""

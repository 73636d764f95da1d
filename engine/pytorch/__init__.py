"""An experiment as PyTorch code."""

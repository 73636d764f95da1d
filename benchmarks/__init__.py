"""Side-by-side measurements: gradstep against NumPy, PyTorch and pudb. ``python -m benchmarks``."""

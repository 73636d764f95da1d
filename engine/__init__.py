"""The engine of gradstep: NumPy training that can be stepped forwards and backwards, op by op."""

__version__ = "0.1.0"

"""Jacobians as lazy operators, of nothing in particular."""

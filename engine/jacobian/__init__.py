"""Jacobians as lazy linear operators, which know of no layer and no network."""

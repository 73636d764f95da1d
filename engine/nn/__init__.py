"""Layers and losses, their parameters and initial values."""

"""Answers of people held against the engine: read, tried at random points, and judged."""

"""Pure renderers: NumPy arrays in, styled text out; no widget, no app, no clock."""

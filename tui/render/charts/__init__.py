"""Pure renderers of curves and heat maps."""

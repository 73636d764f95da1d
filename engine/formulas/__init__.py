"""Formulas as trees: text, LaTeX, element rules."""

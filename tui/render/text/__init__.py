"""Strings, numbers and lines of spans, in terminal cells: what every renderer is made of."""

"""Text, numbers and lines: what every renderer is made of."""

"""Lessons on the screen: the strip of captions, what plays them, and the pictures that are made."""

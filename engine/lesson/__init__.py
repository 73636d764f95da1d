"""Lessons: scripts over an experiment or a recording, with captions, views, holds and questions."""

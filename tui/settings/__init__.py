"""The settings file, and what is saved between runs: stops, watches, bookmarks, typed lines."""

"""What the main screen owns that is no widget: long runs, playing, recording, counts, files."""

"""What the screen has: long runs, playing, recording, counts."""

"""Every key, and what the panes tell the screen."""

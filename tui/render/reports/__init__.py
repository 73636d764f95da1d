"""Pure renderers of whole reports for the command line."""

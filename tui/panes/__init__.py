"""The panes: thin shells over pure renderers, one module each."""

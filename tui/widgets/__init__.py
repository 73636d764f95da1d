"""The panes: thin shells over pure renderers. They read a View and post messages up."""

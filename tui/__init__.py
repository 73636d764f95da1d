"""The command line and the terminal screen of gradstep."""

"""The words of the command line of the debugger."""

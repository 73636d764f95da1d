"""The screens: the debugger, help."""

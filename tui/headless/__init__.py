"""The commands without a screen, a module each; none of them imports textual.

A command prints what it was asked for to stdout and everything else to stderr, and returns its
exit status, or None for 0. What it raises becomes a message in :mod:`tui.headless.status`.
"""

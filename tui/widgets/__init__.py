"""Widgets that panes and screens are made of: lines, lists, grids, the prompt."""

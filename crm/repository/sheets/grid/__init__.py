"""Cells, their formats and the layout of the tabs."""

"""Reports: what the sales, the clients and the deals come to, each as a table with a chart, on screen or in a file."""

from importlib import import_module

# In the order of the menu.
for _name in ("sales", "breakdown", "growth", "rfm", "cohorts", "funnel", "forecast", "lost", "activity"):
    import_module(f"{__name__}.{_name}")

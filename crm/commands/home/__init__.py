"""Commands: what is seen first: today and the dashboard."""

"""Every speed that the project claims, measured beside its floor in one run: python -m benchmarks."""

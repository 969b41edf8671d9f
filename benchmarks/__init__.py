"""Benchmarks of every speed that the project claims, each measured beside its floor in one run: python -m
benchmarks."""

"""The console: keys in, screen out."""

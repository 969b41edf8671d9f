"""Text messages to clients."""

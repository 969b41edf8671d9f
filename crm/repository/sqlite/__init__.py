"""What only SQLite does: its dialect, backups and search."""

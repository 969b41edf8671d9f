"""SQLite: its dialect, backups and search."""

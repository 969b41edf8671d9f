"""Pages: the store and its data: import, export, history, backups, spreadsheets, settings."""

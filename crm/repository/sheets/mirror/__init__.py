"""The mirror: the local SQLite copy that reads are answered from."""

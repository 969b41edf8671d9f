"""The repository for a signed-in reader: the same interfaces, with permissions."""

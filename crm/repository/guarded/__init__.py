"""The repository for whoever is signed in: the same interfaces, with permissions."""

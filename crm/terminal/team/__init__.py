"""Pages: accounts, people and the user's own profile."""

"""Pages: accounts, people and one's own profile."""

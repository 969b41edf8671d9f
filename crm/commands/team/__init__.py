"""Commands: accounts, people and one's own profile."""

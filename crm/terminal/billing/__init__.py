"""Pages: services, and what is billed."""

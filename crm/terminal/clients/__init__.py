"""Pages: clients, their contacts, saved views and status rules."""

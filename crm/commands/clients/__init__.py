"""Commands: clients, their contacts, saved views and status rules."""

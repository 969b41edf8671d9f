"""A CRM for the terminal: clients, sales, and a status that rules review after each sale."""

__version__ = "0.1.0"

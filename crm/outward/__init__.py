"""E-mail and text messages: an interface each, the real thing behind it."""

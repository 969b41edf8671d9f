"""What pages are made of: the session, lists, forms and pickers."""

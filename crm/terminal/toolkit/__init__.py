"""The toolkit of pages: the session, lists, forms and pickers."""

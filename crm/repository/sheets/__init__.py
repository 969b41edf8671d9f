"""A store in a Google spreadsheet: a local mirror that is read, and transactions that are written all or nothing."""

"""Push: from a transaction to the spreadsheet."""

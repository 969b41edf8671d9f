"""Pull: from the spreadsheet to the mirror."""

"""Pages: vehicles."""

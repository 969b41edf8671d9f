"""Mailings: one text to many clients."""

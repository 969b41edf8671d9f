"""Greetings on birthdays and other days that come every year."""

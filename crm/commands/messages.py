"""E-mail to one client: written, sent, shown, sent again."""

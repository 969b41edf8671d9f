"""The web terminal: sign-in over HTTP, and the menu in a browser."""

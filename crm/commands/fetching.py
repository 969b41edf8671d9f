"""E-mail that comes in, filed with the clients it is from."""

"""What leaves the program for people elsewhere: e-mail and text messages, an interface each."""

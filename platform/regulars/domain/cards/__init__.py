"""Cards: a member in a program, with number and QR token."""

"""Staff: log-in, roles, PINs with lockout, sessions."""

"""Members (customers) and their consents."""

"""Mail to members and staff."""

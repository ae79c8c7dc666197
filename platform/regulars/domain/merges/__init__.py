"""Merging members who turn out to be one person, and taking that back."""

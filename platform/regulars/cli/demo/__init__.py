"""The demo's history: six months of three merchants, planned from a seed and recorded through the real services."""

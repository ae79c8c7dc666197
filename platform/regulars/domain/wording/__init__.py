"""Own words: what a merchant says instead of our texts, in each language."""

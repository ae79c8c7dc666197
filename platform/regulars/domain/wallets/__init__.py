"""Cards in phones: what a pass shows, who has it, and keeping it true."""

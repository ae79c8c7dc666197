"""Refunds: whole, by amount, by number or by line; what they take back is what the sale would not have given."""

"""What phones call, and the merchant's page."""

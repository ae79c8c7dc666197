"""What time does to balances: earnings that waited are released, lots whose time is over expire."""

"""Sales: recorded, refused, undone; the unit of work of six round trips."""

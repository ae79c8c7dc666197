"""The file that a phone gets: what it says, its pictures, its signature."""

"""A theme as a package; all of it is data beside this file."""

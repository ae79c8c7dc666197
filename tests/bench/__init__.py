"""The benchmark: `make bench` starts the platform on a database of 100,000 cards and measures it.

`run` is the whole of it, in the order in which it happens; docs/performance.md says how to read what it prints.
"""

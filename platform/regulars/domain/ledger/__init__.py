"""The ledger: accounts, entries, lots. Append-only, in whole units."""

"""The contract between host and plugins: pure data and Protocols, no I/O, imports nothing of ours."""

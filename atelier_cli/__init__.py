"""The studio from a terminal: a client of its REST API. Imports nothing of the studio itself (docs/cli.md)."""

"""The sealed offer log: sealing, proving, explaining, repeating and checking decisions."""

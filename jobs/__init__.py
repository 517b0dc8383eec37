"""Commands: parse, read, transform, check, publish."""

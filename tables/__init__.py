"""Every table's name, grain, key and schema; time windows; the store."""

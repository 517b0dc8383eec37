"""Features in parts of clients, and the report on them."""

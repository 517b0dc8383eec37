"""The demo bank: its deliveries, and how its branches work through lists."""

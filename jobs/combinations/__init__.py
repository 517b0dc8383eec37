"""Which products are held together, and the packages that suggests."""

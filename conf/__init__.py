"""Configuration: YAML values, their types, the loader."""

"""One Great Expectations suite per table: what its values mean."""

"""What came of what the bank did, and what its clients hold: counts and tests, never a model."""

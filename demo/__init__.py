"""A synthetic bank with known true propensities and uplift."""

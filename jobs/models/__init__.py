"""Training sets, challengers, their cards, comparison and promotion."""

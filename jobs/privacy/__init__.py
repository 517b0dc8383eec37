"""What clients may ask for and the law bids: erasure, retention, what is kept of one person."""

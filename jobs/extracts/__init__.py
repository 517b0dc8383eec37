"""Deliveries: other banks' files, what is taken in, what is set aside."""

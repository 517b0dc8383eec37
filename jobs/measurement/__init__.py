"""What measuring reads of a home, and the pages that it writes."""

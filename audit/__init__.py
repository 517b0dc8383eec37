"""What proves a decision, and cannot change one."""

"""What every run has: inputs, identity, staging, contracts, exports, records."""

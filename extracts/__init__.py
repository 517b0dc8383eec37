"""Adapters of banks' files, conforming, quarantine reasons."""

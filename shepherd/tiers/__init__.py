"""Isolation tiers: what encloses an attempt."""

"""Attempts: from an assignment to a result that is told."""

"""Logs as files in folders, under names made from a template."""

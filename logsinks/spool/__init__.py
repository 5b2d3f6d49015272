"""Logs on local disk before any sink has them: the format, its writer, its reader, its mending."""

"""What runs beside or around task code: standard library only, and quick to start."""

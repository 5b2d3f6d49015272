"""What our own processes say of themselves: `logs` for people who read, `metrics` for Prometheus."""

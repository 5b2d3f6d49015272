"""What this machine can do: `check` runs the checks of `host_checks` and `engine_checks`, `report` shows them."""

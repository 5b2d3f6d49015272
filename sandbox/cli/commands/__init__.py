"""One file a command; see `sandbox.cli.command_table` for how one is added."""

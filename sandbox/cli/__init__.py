"""The command line. `app` reads it, `command_table` lists the commands, `commands/` has a file for each."""

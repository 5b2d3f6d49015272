"""From the pipes of a task into the spool, by a process that outlives whoever started it."""

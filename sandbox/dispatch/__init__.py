"""Who is there to run tasks, who gets which, and who waits for their ends."""

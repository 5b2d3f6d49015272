"""The scheduler: what happens to tasks, decided in memory, appended to the event store, then carried out.

The way of a command: `engine` takes it, `decide` turns it and the state into events, `taskset` applies
them, the store makes them durable, and only then the answer is given and the assignment is sent.
"""

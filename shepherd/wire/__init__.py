"""What travels between clients, orchestrator and shepherds: the Azolla contract with our extensions.

A leaf: it imports nothing else of the project. Message classes are in :mod:`shepherd.wire.messages`,
the names of the calls in :mod:`shepherd.wire.calls`.
"""

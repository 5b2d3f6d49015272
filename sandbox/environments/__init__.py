"""Environments: running sandboxes. `contract` says what one can do, `lifecycle` starts and stops them.

`embedded` runs the parts as supervised background processes; `doctor` checks what a machine can do.
"""

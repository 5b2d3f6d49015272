"""Builds a resident worker: the control socket, the log channel, and the loop that its first attempt calls for."""

from __future__ import annotations

import os
import socket
import sys

from shepherd.workers.channel import Channel
from shepherd.workers.control import Control, leave
from shepherd.workers.output import Output
from shepherd.workers.pipe import FramingLost
from shepherd.workers.resident_attempt import Running
from shepherd.workers.resident_loop import ResidentLoop
from shepherd.workers.startup import add_site_packages

USAGE = "usage: resident.py --control=FD --channel=FD [--parallel=N]"


def main(arguments: list[str]) -> None:
    """Serve until the shepherd says retire (status 0) or is gone (0), or talks nonsense (2)."""
    try:
        given = {name: int(value) for name, _, value in (word.partition("=") for word in arguments)}
        control = Control(socket.socket(fileno=given["--control"]))
        channel = Channel(given["--channel"])
    except (KeyError, ValueError, OSError) as error:
        sys.exit(f"{USAGE}: {error}")
    for descriptor in (given["--control"], given["--channel"]):
        # A command that a task starts has no business with them.
        os.set_inheritable(descriptor, False)
    add_site_packages()
    running = Running()
    output = Output(channel, running)
    output.install()
    os.register_at_fork(after_in_child=control.close_in_child)
    loop = ResidentLoop(control, output, running, parallel=given.get("--parallel", 64))
    try:
        loop.serve()
    except FramingLost as error:
        output.complain(f"a resident worker ends, since its shepherd doesn't speak as it should: {error}\n")
        leave(2)

"""Stands for orchestrator or shepherd under the supervisor: `python fake_part.py BEHAVIOUR --config FILE`.

Behaviours: `serve` answers as an orchestrator whose shepherd is connected as soon as
it runs; `serve-alone` as one without; `wait` does
nothing until SIGTERM; `stubborn` ignores SIGTERM; `fail:CODE` says why and ends with that code; `fail-once:CODE` does so
the first time, then waits; `daemon` leaves a child in a session of its own behind, and waits.
Standard library only, run with -I -S: it starts in a few milliseconds.
"""

import json
import os
import signal
import socket
import sys
import time


def main() -> None:
    behaviour, _, value = sys.argv[1].partition(":")
    with open(sys.argv[3]) as file:
        config = json.load(file)
    mark = os.path.join(os.path.dirname(sys.argv[3]), f"{behaviour}.mark")
    signal.signal(signal.SIGTERM, stop)
    if behaviour == "fail" or (behaviour == "fail-once" and not os.path.exists(mark)):
        open(mark, "w").close()
        sys.stderr.write(
            "error: The database is none of ours (azolla.db)\n  because it has other tables\n  try: mv it away\n"
        )
        sys.exit(int(value))
    if behaviour == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if behaviour == "daemon" and os.fork() == 0:
        os.setsid()
    ready = os.path.join(os.path.dirname(sys.argv[3]), "shepherd.mark")
    if behaviour.startswith("serve"):
        serve(config, ready if behaviour == "serve" else "")
    open(ready, "w").close()
    while True:
        signal.pause()


def stop(_number: int, _frame: object) -> None:
    sys.stderr.write(f"stopped {time.time_ns()}\n")
    sys.exit(0)


def serve(config: dict[str, object], ready: str) -> None:
    host, _, port = str(config["http"]).rpartition(":")
    answers: dict[str, object] = {
        "/readyz": {"ready": True},
        "/v1/status": {"tasks": {"pending": 3, "succeeded": 4}},
        "/v1/definitions": {"definitions": [{"name": "echo"}], "problems": []},
    }
    with socket.create_server((host, int(port))) as listening:
        while True:
            connection, _ = listening.accept()
            with connection:
                words = connection.recv(4096).split()
                answers["/v1/shepherds"] = {"shepherds": [{"connected": os.path.exists(ready), "running": 2}]}
                answer = answers.get(words[1].decode() if len(words) > 1 else "")
                body = json.dumps(answer or {}).encode()
                head = (
                    f"HTTP/1.1 {200 if answer else 404} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                )
                connection.sendall(head.encode() + body)


if __name__ == "__main__":
    main()

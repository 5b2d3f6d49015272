"""Builds every request of the HTTP API and reads every answer, without any I/O.

A :class:`Call` is a request with the function that reads its answer; a :class:`Stream` is one whose answer is one
JSON object a line. The clients send them; nothing else of them differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

from sandbox.client import records
from sandbox.client.faults import error_of_object, error_of_problem
from sandbox.client.submission import Submission
from sandbox.errors import OrchestratorUnreachable
from sandbox.model import exact_json
from sandbox.model.task import EndedTask

Answer = TypeVar("Answer")

JSON = {"Content-Type": "application/json"}
SLACK_S = 10.0
"""How much longer than the wait that it asks for a request may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request of HTTP. `params` without value are left out."""

    method: str
    path: str
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    timeout_s: float | None = 60.0
    """How long nothing may come; None: for ever."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of HTTP."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """A request and the reading of its answer."""

    request: Request
    read: Callable[[Any], Answer]

    def answer(self, reply: Reply) -> Answer:
        """What the reply means. Raises the error that it tells."""
        if reply.status >= 300:
            raise error_of_problem(reply.status, reply.body)
        return self.read(exact_json.loads(reply.body))


@dataclass(frozen=True, slots=True)
class Stream(Generic[Answer]):
    """A request whose answer is one JSON object a line. `read` gives None for lines that are no item."""

    request: Request
    read: Callable[[Any], Answer | None]

    def line(self, line: bytes) -> Answer | None:
        """What a line means. Raises the error that it tells."""
        found: Any = exact_json.loads(line)
        if isinstance(found, dict) and "error" in found and len(cast("dict[str, Any]", found)) == 1:
            raise error_of_object(cast("dict[str, Any]", found["error"]))
        return self.read(found)


class LineSplitter:
    """Cuts pieces of any size into lines."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The lines that are complete now, without their ends."""
        *whole, rest = piece.split(b"\n")
        if whole:
            whole[0] = b"".join([*self._rest, whole[0]])
            self._rest.clear()
        if rest:
            self._rest.append(rest)
        return (line for line in whole if line)

    def end(self) -> None:
        """The stream is over. OrchestratorUnreachable if it broke off within a line."""
        if self._rest:
            raise OrchestratorUnreachable("The connection broke off", why="the last line of the answer is not whole")


def unreachable(url: str, why: str) -> OrchestratorUnreachable:
    """Nothing answers there, or not to the end."""
    return OrchestratorUnreachable("The orchestrator doesn't answer", subject=url, why=why, hint="azolla-local up")


def create(submission: Submission) -> Call[str]:
    """Create a task; gives its id."""
    body = submission.json().encode()
    return Call(Request(method="POST", path="/v1/tasks", headers=JSON, body=body), lambda found: found["task_id"])


def create_many(submissions: Sequence[Submission]) -> Call[list[str]]:
    """Create up to 10,000 tasks, all or none; gives their ids in order."""
    body = ('{"tasks":[' + ",".join([submission.json() for submission in submissions]) + "]}").encode()
    return Call(
        Request(method="POST", path="/v1/tasks:batch", headers=JSON, body=body), lambda found: found["task_ids"]
    )


def wait(task_id: str, timeout_s: float) -> Call[EndedTask | None]:
    """Wait for a task; None if it has not ended in time (an hour at most)."""
    request = Request(
        method="GET",
        path=f"/v1/tasks/{_segment(task_id)}/wait",
        params=[("timeout", f"{min(timeout_s, 3600.0):g}")],
        timeout_s=timeout_s + SLACK_S,
    )
    return Call(request, lambda found: records.ended(found) if "ended_ms" in found else None)


def wait_each(task_ids: Sequence[str], timeout_s: float | None) -> Stream[EndedTask]:
    """Wait for many tasks; each comes when it has ended."""
    body = exact_json.dumps({"task_ids": list(task_ids), "timeout": timeout_s}).encode()
    request = Request(method="POST", path="/v1/tasks:wait", headers=JSON, body=body, timeout_s=None)
    return Stream(request, lambda found: None if "end" in found else records.ended(found))


def cancel(task_id: str, reason: str) -> Call[tuple[str, str]]:
    """Cancel a task; gives its whole id and the word of the status that it has then."""
    body = exact_json.dumps({"reason": reason}).encode()
    request = Request(method="POST", path=f"/v1/tasks/{_segment(task_id)}/cancel", headers=JSON, body=body)
    return Call(request, lambda found: (found["task_id"], found["status"]))


def get(task_id: str) -> Call[records.TaskInfo]:
    """All there is to say of a task."""
    return Call(Request(method="GET", path=f"/v1/tasks/{_segment(task_id)}"), records.task)


def list_tasks(
    *,
    domain: str | None = None,
    queue: str | None = None,
    statuses: Sequence[str] = (),
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    since: str | datetime | None = None,
    until: str | datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Call[records.TaskPage]:
    """A page of tasks, newest first."""
    params = _params(domain=domain, queue=queue, name=name, since=since, until=until, limit=limit, cursor=cursor)
    params += [("status", status) for status in statuses]
    params += [("label", f"{key}={value}") for key, value in (labels or {}).items()]
    return Call(
        Request(method="GET", path="/v1/tasks", params=params),
        lambda found: records.TaskPage(
            tasks=[records.task(row) for row in found["tasks"]], next_cursor=found["next_cursor"]
        ),
    )


def why(task_id: str) -> Call[records.Why]:
    """Why a task stands where it stands."""
    return Call(Request(method="GET", path=f"/v1/tasks/{_segment(task_id)}/why"), records.why)


def history(task_id: str) -> Call[list[records.EventInfo]]:
    """The history of a task."""
    return Call(
        Request(method="GET", path=f"/v1/tasks/{_segment(task_id)}/events"),
        lambda found: [records.event(one) for one in found["events"]],
    )


def events(
    *,
    after: int | None = None,
    last: int | None = None,
    domain: str | None = None,
    limit: int | None = None,
    follow: bool = False,
) -> Stream[records.EventInfo]:
    """Events of everything behind number `after` (-1: only new ones), or the `last` ones; with `follow`, for ever."""
    params = _params(after=after, last=last, domain=domain, limit=limit, follow=follow or None)
    timeout = None if follow else 60.0
    return Stream(Request(method="GET", path="/v1/events", params=params, timeout_s=timeout), records.event)


def logs(
    task_id: str,
    *,
    follow: bool = False,
    tail: int | None = None,
    since: str | datetime | None = None,
    until: str | datetime | None = None,
    stream: str | None = None,
    grep: str | None = None,
    attempt: int | None = None,
    from_offset: int | None = None,
    source: str | None = None,
) -> Stream[records.LogEntry]:
    """What a task has written; with `follow`, until it has ended."""
    params = _params(
        follow=follow or None,
        tail=tail,
        since=since,
        until=until,
        stream=stream,
        grep=grep,
        attempt=attempt,
        from_offset=from_offset,
    )
    if source is not None:
        params.append(("from", source))
    timeout = None if follow else 60.0
    path = f"/v1/tasks/{_segment(task_id)}/logs"
    return Stream(Request(method="GET", path=path, params=params, timeout_s=timeout), records.log_entry)


def sql(statement: str, limit: int) -> Call[records.SqlTable]:
    """Ask the database."""
    body = exact_json.dumps({"statement": statement, "limit": limit}).encode()
    return Call(
        Request(method="POST", path="/v1/sql", headers=JSON, body=body), lambda found: records.SqlTable(**found)
    )


def status() -> Call[dict[str, Any]]:
    """What the orchestrator does."""
    return Call(Request(method="GET", path="/v1/status"), _as_it_is)


def shepherds() -> Call[list[dict[str, Any]]]:
    """Every shepherd that is known."""
    return Call(Request(method="GET", path="/v1/shepherds"), lambda found: found["shepherds"])


def domains() -> Call[list[dict[str, Any]]]:
    """Every domain."""
    return Call(Request(method="GET", path="/v1/domains"), lambda found: found["domains"])


def definitions() -> Call[dict[str, Any]]:
    """What can be run: `{"definitions": […], "problems": […]}`."""
    return Call(Request(method="GET", path="/v1/definitions"), _as_it_is)


def _as_it_is(found: dict[str, Any]) -> dict[str, Any]:
    return found


def _segment(task_id: str) -> str:
    return quote(task_id, safe="") or "-"


def _params(**given: object) -> list[tuple[str, str]]:
    return [(name, _text(value)) for name, value in given.items() if value is not None]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)

"""The bodies of the HTTP API for its description (OpenAPI).

Requests are read by hand (`bodies`) and answers are written by hand (`views`), for speed. A test holds them
and these models together.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema


class NewTaskBody(BaseModel):
    """A task to create."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(description="What to run: the name of a task definition.")
    args: list[Any] = Field(default=[], description="Positional input, any JSON.")
    kwargs: dict[str, Any] = Field(default={}, description="Named input, any JSON.")
    domain: str = "default"
    queue: str = "default"
    retry_policy: dict[str, Any] | None = Field(default=None, description="Azolla's JSON form; null: the definition's.")
    priority: int = Field(default=0, description="Higher goes first.")
    timeout: float | None = Field(default=None, description="Seconds allowed to each attempt; null: the definition's.")
    not_before: str | int | None = Field(default=None, description="ISO 8601 with zone, or Unix milliseconds.")
    labels: dict[str, str] = {}
    idempotency_key: str | None = Field(default=None, description="The same key in a domain gives the same task.")


class NewTasksBody(BaseModel):
    """Tasks to create together, all or none: 1 to 10,000."""

    tasks: list[NewTaskBody]


class Created(BaseModel):
    """The id of the new task, or of the one that was created with the same idempotency key."""

    task_id: str


class CreatedMany(BaseModel):
    """In the order of the request."""

    task_ids: list[str]


class Error(BaseModel):
    """How the last attempt failed."""

    type: str
    message: str
    data: Any
    retriable: bool


class Attempt(BaseModel):
    """One execution of a task; what isn't known (yet) is absent."""

    attempt: int
    shepherd_id: str | None = None
    assigned_ms: int | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    outcome: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    peak_memory_bytes: int | None = None
    cpu_us: int | None = None
    log_bytes: int | None = None
    log_lines: int | None = None
    isolation: str | None = None
    left_behind: str | None = None
    next_due_ms: int | None = None
    logs: list[dict[str, Any]] = []
    refused: list[str] = []


class TaskRow(BaseModel):
    """A task in a list. Times are Unix milliseconds."""

    task_id: str
    name: str
    status: str
    domain: str
    queue: str
    priority: int
    attempt: int = Field(description="Number of the newest attempt; 0 before the first.")
    created_ms: int
    due_ms: int | None
    started_ms: int | None
    ended_ms: int | None
    shepherd_id: str | None
    labels: dict[str, str]
    error: Error | None


class TaskPage(TaskRow):
    """All there is to say of a task."""

    args: Any
    kwargs: Any
    timeout_ms: int | None
    retry_policy: dict[str, Any] | None
    idempotency_key: str | None
    flow_id: str | None
    cancel_requested: bool
    result: Any
    attempts: list[Attempt]
    progress: dict[str, Any] | None = Field(description="What a running task last said of itself.")


class TaskList(BaseModel):
    """A page, newest first. `next_cursor` is null on the last one."""

    tasks: list[TaskRow]
    next_cursor: str | None


class Ended(BaseModel):
    """A task that is over."""

    task_id: str
    domain: str
    status: str
    attempt: int
    ended_ms: int
    result: Any
    error: Error | None


class WaitBody(BaseModel):
    """Tasks to wait for."""

    task_ids: list[str]
    timeout: float | None = Field(default=None, description="Seconds; null: until all have ended.")


class CancelBody(BaseModel):
    """Why the task is cancelled; kept in its history."""

    reason: str = ""


class Standing(BaseModel):
    """Where a task stands."""

    task_id: str
    status: str


class Why(BaseModel):
    """Why a task stands where it stands."""

    task_id: str
    status: str
    sentence: str
    hints: list[str]
    detail: dict[str, Any]


class HistoryEvent(BaseModel):
    """A fact of the history."""

    seq: int
    time_ms: int
    type: str
    domain: str
    task_id: str | None
    attempt: int | None
    shepherd_id: str | None
    metadata: dict[str, Any]


class History(BaseModel):
    """The history of a task, oldest first."""

    events: list[HistoryEvent]


class LogLine(BaseModel):
    """A line that a task has written. `text` where it is UTF-8, else `base64`; its line end belongs to it.

    `gap`: a sentence of ours that says what is missing. `partial`: the line goes on in the next object.
    """

    attempt: int
    stream: Literal["stdout", "stderr", "gap"]
    time: str
    offset: int
    text: str | None = None
    base64: str | None = None
    partial: bool = False


class SqlBody(BaseModel):
    """A statement that reads."""

    statement: str
    limit: int = Field(default=1000, ge=1, le=100_000)


class SqlAnswer(BaseModel):
    """Rows; `truncated`: there were more than `limit`."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool


class Problem(BaseModel):
    """An error (RFC 9457). `code` is stable; `hint` is the next thing to do."""

    type: str
    title: str
    status: int
    detail: str
    hint: str
    code: str
    subject: str
    retry_after: float | None = None


_OF_REQUESTS: tuple[type[BaseModel], ...] = (
    NewTaskBody,
    NewTasksBody,
    WaitBody,
    CancelBody,
    SqlBody,
    LogLine,
    HistoryEvent,
)


def components() -> dict[str, Any]:
    """The schemas of what FastAPI doesn't see because it is read or streamed by hand."""
    models = [(model, "validation") for model in _OF_REQUESTS]
    _, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")  # pyright: ignore[reportArgumentType] - a list of pairs, whose literal type is lost
    return definitions["$defs"]


def body(model: type[BaseModel], *, lines: type[BaseModel] | None = None, required: bool = True) -> dict[str, Any]:
    """The description of a request body that the route reads by hand."""
    content: dict[str, Any] = {"application/json": {"schema": reference(model)}}
    if lines is not None:
        content["application/x-ndjson"] = {"schema": reference(lines)}
    return {"requestBody": {"required": required, "content": content}}


def stream(model: type[BaseModel], description: str) -> dict[int | str, dict[str, Any]]:
    """The description of an answer of one JSON object a line."""
    return {200: {"description": description, "content": {"application/x-ndjson": {"schema": reference(model)}}}}


def reference(model: type[BaseModel]) -> dict[str, str]:
    """A reference to the schema of a model."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}

from shepherd.wire.generated.azolla import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WaitForTaskStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAIT_FOR_TASK_STATUS_UNSPECIFIED: _ClassVar[WaitForTaskStatus]
    WAIT_FOR_TASK_STATUS_COMPLETED: _ClassVar[WaitForTaskStatus]
    WAIT_FOR_TASK_STATUS_TIMEOUT: _ClassVar[WaitForTaskStatus]
    WAIT_FOR_TASK_STATUS_TASK_NOT_FOUND: _ClassVar[WaitForTaskStatus]
    WAIT_FOR_TASK_STATUS_INTERNAL_ERROR: _ClassVar[WaitForTaskStatus]
WAIT_FOR_TASK_STATUS_UNSPECIFIED: WaitForTaskStatus
WAIT_FOR_TASK_STATUS_COMPLETED: WaitForTaskStatus
WAIT_FOR_TASK_STATUS_TIMEOUT: WaitForTaskStatus
WAIT_FOR_TASK_STATUS_TASK_NOT_FOUND: WaitForTaskStatus
WAIT_FOR_TASK_STATUS_INTERNAL_ERROR: WaitForTaskStatus

class CreateTaskRequest(_message.Message):
    __slots__ = ("name", "domain", "retry_policy", "args", "kwargs", "flow_instance_id", "shepherd_group", "idempotency_key", "priority", "timeout_ms", "not_before_ms", "labels")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    RETRY_POLICY_FIELD_NUMBER: _ClassVar[int]
    ARGS_FIELD_NUMBER: _ClassVar[int]
    KWARGS_FIELD_NUMBER: _ClassVar[int]
    FLOW_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    SHEPHERD_GROUP_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_MS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    name: str
    domain: str
    retry_policy: _common_pb2.RetryPolicy
    args: str
    kwargs: str
    flow_instance_id: str
    shepherd_group: str
    idempotency_key: str
    priority: int
    timeout_ms: int
    not_before_ms: int
    labels: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., domain: _Optional[str] = ..., retry_policy: _Optional[_Union[_common_pb2.RetryPolicy, _Mapping]] = ..., args: _Optional[str] = ..., kwargs: _Optional[str] = ..., flow_instance_id: _Optional[str] = ..., shepherd_group: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., priority: _Optional[int] = ..., timeout_ms: _Optional[int] = ..., not_before_ms: _Optional[int] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class CreateTaskResponse(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class WaitForTaskRequest(_message.Message):
    __slots__ = ("task_id", "domain", "timeout_ms")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    domain: str
    timeout_ms: int
    def __init__(self, task_id: _Optional[str] = ..., domain: _Optional[str] = ..., timeout_ms: _Optional[int] = ...) -> None: ...

class WaitForTaskResponse(_message.Message):
    __slots__ = ("status_code", "success", "error")
    STATUS_CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    status_code: WaitForTaskStatus
    success: _common_pb2.SuccessResult
    error: _common_pb2.ErrorResult
    def __init__(self, status_code: _Optional[_Union[WaitForTaskStatus, str]] = ..., success: _Optional[_Union[_common_pb2.SuccessResult, _Mapping]] = ..., error: _Optional[_Union[_common_pb2.ErrorResult, _Mapping]] = ...) -> None: ...

class CreateFlowRequest(_message.Message):
    __slots__ = ("name", "domain", "dag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    DAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    domain: str
    dag: str
    def __init__(self, name: _Optional[str] = ..., domain: _Optional[str] = ..., dag: _Optional[str] = ...) -> None: ...

class CreateFlowResponse(_message.Message):
    __slots__ = ("flow_id",)
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    flow_id: str
    def __init__(self, flow_id: _Optional[str] = ...) -> None: ...

class WaitForFlowRequest(_message.Message):
    __slots__ = ("flow_id", "domain")
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    flow_id: str
    domain: str
    def __init__(self, flow_id: _Optional[str] = ..., domain: _Optional[str] = ...) -> None: ...

class WaitForFlowResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: str
    def __init__(self, status: _Optional[str] = ...) -> None: ...

class PublishTaskEventRequest(_message.Message):
    __slots__ = ("task_instance_id", "domain", "event_type", "metadata")
    TASK_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    task_instance_id: str
    domain: str
    event_type: int
    metadata: str
    def __init__(self, task_instance_id: _Optional[str] = ..., domain: _Optional[str] = ..., event_type: _Optional[int] = ..., metadata: _Optional[str] = ...) -> None: ...

class PublishTaskEventResponse(_message.Message):
    __slots__ = ("success",)
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    success: bool
    def __init__(self, success: bool = ...) -> None: ...

class PublishFlowEventRequest(_message.Message):
    __slots__ = ("flow_instance_id", "domain", "event_type", "metadata")
    FLOW_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    flow_instance_id: str
    domain: str
    event_type: int
    metadata: str
    def __init__(self, flow_instance_id: _Optional[str] = ..., domain: _Optional[str] = ..., event_type: _Optional[int] = ..., metadata: _Optional[str] = ...) -> None: ...

class PublishFlowEventResponse(_message.Message):
    __slots__ = ("success",)
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    success: bool
    def __init__(self, success: bool = ...) -> None: ...

class AttemptKey(_message.Message):
    __slots__ = ("task_id", "attempt")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attempt: int
    def __init__(self, task_id: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class TaskOffer(_message.Message):
    __slots__ = ("name", "retry_policy")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RETRY_POLICY_FIELD_NUMBER: _ClassVar[int]
    name: str
    retry_policy: _common_pb2.RetryPolicy
    def __init__(self, name: _Optional[str] = ..., retry_policy: _Optional[_Union[_common_pb2.RetryPolicy, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("shepherd_uuid", "max_concurrency", "domain", "shepherd_group", "protocol_version", "epoch", "window", "standing", "all_domains", "offers", "labels", "host", "pid", "version")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SHEPHERD_UUID_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SHEPHERD_GROUP_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    ALL_DOMAINS_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    shepherd_uuid: str
    max_concurrency: int
    domain: str
    shepherd_group: str
    protocol_version: int
    epoch: int
    window: int
    standing: _containers.RepeatedCompositeFieldContainer[AttemptKey]
    all_domains: bool
    offers: _containers.RepeatedCompositeFieldContainer[TaskOffer]
    labels: _containers.ScalarMap[str, str]
    host: str
    pid: int
    version: str
    def __init__(self, shepherd_uuid: _Optional[str] = ..., max_concurrency: _Optional[int] = ..., domain: _Optional[str] = ..., shepherd_group: _Optional[str] = ..., protocol_version: _Optional[int] = ..., epoch: _Optional[int] = ..., window: _Optional[int] = ..., standing: _Optional[_Iterable[_Union[AttemptKey, _Mapping]]] = ..., all_domains: bool = ..., offers: _Optional[_Iterable[_Union[TaskOffer, _Mapping]]] = ..., labels: _Optional[_Mapping[str, str]] = ..., host: _Optional[str] = ..., pid: _Optional[int] = ..., version: _Optional[str] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("current_load", "available_capacity")
    CURRENT_LOAD_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_CAPACITY_FIELD_NUMBER: _ClassVar[int]
    current_load: int
    available_capacity: int
    def __init__(self, current_load: _Optional[int] = ..., available_capacity: _Optional[int] = ...) -> None: ...

class Ping(_message.Message):
    __slots__ = ("timestamp",)
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    timestamp: int
    def __init__(self, timestamp: _Optional[int] = ...) -> None: ...

class AttemptResults(_message.Message):
    __slots__ = ("sequence", "results")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    results: _containers.RepeatedCompositeFieldContainer[_common_pb2.TaskResult]
    def __init__(self, sequence: _Optional[int] = ..., results: _Optional[_Iterable[_Union[_common_pb2.TaskResult, _Mapping]]] = ...) -> None: ...

class AttemptStarted(_message.Message):
    __slots__ = ("task_id", "attempt", "started_ms")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    STARTED_MS_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attempt: int
    started_ms: int
    def __init__(self, task_id: _Optional[str] = ..., attempt: _Optional[int] = ..., started_ms: _Optional[int] = ...) -> None: ...

class AttemptsStarted(_message.Message):
    __slots__ = ("started",)
    STARTED_FIELD_NUMBER: _ClassVar[int]
    started: _containers.RepeatedCompositeFieldContainer[AttemptStarted]
    def __init__(self, started: _Optional[_Iterable[_Union[AttemptStarted, _Mapping]]] = ...) -> None: ...

class LogOpened(_message.Message):
    __slots__ = ("task_id", "attempt", "sink", "locator")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SINK_FIELD_NUMBER: _ClassVar[int]
    LOCATOR_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attempt: int
    sink: str
    locator: str
    def __init__(self, task_id: _Optional[str] = ..., attempt: _Optional[int] = ..., sink: _Optional[str] = ..., locator: _Optional[str] = ...) -> None: ...

class LogsOpened(_message.Message):
    __slots__ = ("opened",)
    OPENED_FIELD_NUMBER: _ClassVar[int]
    opened: _containers.RepeatedCompositeFieldContainer[LogOpened]
    def __init__(self, opened: _Optional[_Iterable[_Union[LogOpened, _Mapping]]] = ...) -> None: ...

class TaskHeartbeat(_message.Message):
    __slots__ = ("task_id", "attempt", "time_ms", "note")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attempt: int
    time_ms: int
    note: str
    def __init__(self, task_id: _Optional[str] = ..., attempt: _Optional[int] = ..., time_ms: _Optional[int] = ..., note: _Optional[str] = ...) -> None: ...

class TaskHeartbeats(_message.Message):
    __slots__ = ("heartbeats",)
    HEARTBEATS_FIELD_NUMBER: _ClassVar[int]
    heartbeats: _containers.RepeatedCompositeFieldContainer[TaskHeartbeat]
    def __init__(self, heartbeats: _Optional[_Iterable[_Union[TaskHeartbeat, _Mapping]]] = ...) -> None: ...

class Offers(_message.Message):
    __slots__ = ("offers",)
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    offers: _containers.RepeatedCompositeFieldContainer[TaskOffer]
    def __init__(self, offers: _Optional[_Iterable[_Union[TaskOffer, _Mapping]]] = ...) -> None: ...

class ClientMsg(_message.Message):
    __slots__ = ("hello", "ack", "status", "task_result", "results", "started", "logs", "heartbeats", "offers")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TASK_RESULT_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEATS_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    ack: Ack
    status: Status
    task_result: _common_pb2.TaskResult
    results: AttemptResults
    started: AttemptsStarted
    logs: LogsOpened
    heartbeats: TaskHeartbeats
    offers: Offers
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., status: _Optional[_Union[Status, _Mapping]] = ..., task_result: _Optional[_Union[_common_pb2.TaskResult, _Mapping]] = ..., results: _Optional[_Union[AttemptResults, _Mapping]] = ..., started: _Optional[_Union[AttemptsStarted, _Mapping]] = ..., logs: _Optional[_Union[LogsOpened, _Mapping]] = ..., heartbeats: _Optional[_Union[TaskHeartbeats, _Mapping]] = ..., offers: _Optional[_Union[Offers, _Mapping]] = ...) -> None: ...

class TaskBatch(_message.Message):
    __slots__ = ("tasks",)
    TASKS_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[_common_pb2.Task]
    def __init__(self, tasks: _Optional[_Iterable[_Union[_common_pb2.Task, _Mapping]]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("epoch", "heartbeat_ms", "lease_ms", "version", "refused")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_MS_FIELD_NUMBER: _ClassVar[int]
    LEASE_MS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    heartbeat_ms: int
    lease_ms: int
    version: str
    refused: _containers.RepeatedCompositeFieldContainer[AttemptKey]
    def __init__(self, epoch: _Optional[int] = ..., heartbeat_ms: _Optional[int] = ..., lease_ms: _Optional[int] = ..., version: _Optional[str] = ..., refused: _Optional[_Iterable[_Union[AttemptKey, _Mapping]]] = ...) -> None: ...

class ResultsAcked(_message.Message):
    __slots__ = ("sequence",)
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    def __init__(self, sequence: _Optional[int] = ...) -> None: ...

class CancelAttempt(_message.Message):
    __slots__ = ("task_id", "attempt", "reason")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attempt: int
    reason: str
    def __init__(self, task_id: _Optional[str] = ..., attempt: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class ServerMsg(_message.Message):
    __slots__ = ("task", "ping", "tasks", "welcome", "acked", "cancel", "drain")
    TASK_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    ACKED_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    task: _common_pb2.Task
    ping: Ping
    tasks: TaskBatch
    welcome: Welcome
    acked: ResultsAcked
    cancel: CancelAttempt
    drain: Drain
    def __init__(self, task: _Optional[_Union[_common_pb2.Task, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., tasks: _Optional[_Union[TaskBatch, _Mapping]] = ..., welcome: _Optional[_Union[Welcome, _Mapping]] = ..., acked: _Optional[_Union[ResultsAcked, _Mapping]] = ..., cancel: _Optional[_Union[CancelAttempt, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ...) -> None: ...

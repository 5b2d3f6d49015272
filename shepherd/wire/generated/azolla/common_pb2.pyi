from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttemptOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_OUTCOME_UNSPECIFIED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_SUCCEEDED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_FAILED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_TIMED_OUT: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_CANCELLED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_LOST: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_HANDED_BACK: _ClassVar[AttemptOutcome]
ATTEMPT_OUTCOME_UNSPECIFIED: AttemptOutcome
ATTEMPT_OUTCOME_SUCCEEDED: AttemptOutcome
ATTEMPT_OUTCOME_FAILED: AttemptOutcome
ATTEMPT_OUTCOME_TIMED_OUT: AttemptOutcome
ATTEMPT_OUTCOME_CANCELLED: AttemptOutcome
ATTEMPT_OUTCOME_LOST: AttemptOutcome
ATTEMPT_OUTCOME_HANDED_BACK: AttemptOutcome

class AnyValue(_message.Message):
    __slots__ = ("string_value", "int_value", "double_value", "bool_value", "json_value", "uint_value")
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    INT_VALUE_FIELD_NUMBER: _ClassVar[int]
    DOUBLE_VALUE_FIELD_NUMBER: _ClassVar[int]
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    JSON_VALUE_FIELD_NUMBER: _ClassVar[int]
    UINT_VALUE_FIELD_NUMBER: _ClassVar[int]
    string_value: str
    int_value: int
    double_value: float
    bool_value: bool
    json_value: str
    uint_value: int
    def __init__(self, string_value: _Optional[str] = ..., int_value: _Optional[int] = ..., double_value: _Optional[float] = ..., bool_value: bool = ..., json_value: _Optional[str] = ..., uint_value: _Optional[int] = ...) -> None: ...

class StructValue(_message.Message):
    __slots__ = ("json_data",)
    JSON_DATA_FIELD_NUMBER: _ClassVar[int]
    json_data: str
    def __init__(self, json_data: _Optional[str] = ...) -> None: ...

class RetryPolicyStop(_message.Message):
    __slots__ = ("max_attempts", "max_delay")
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MAX_DELAY_FIELD_NUMBER: _ClassVar[int]
    max_attempts: int
    max_delay: float
    def __init__(self, max_attempts: _Optional[int] = ..., max_delay: _Optional[float] = ...) -> None: ...

class RetryPolicyFixedWait(_message.Message):
    __slots__ = ("delay",)
    DELAY_FIELD_NUMBER: _ClassVar[int]
    delay: float
    def __init__(self, delay: _Optional[float] = ...) -> None: ...

class RetryPolicyExponentialWait(_message.Message):
    __slots__ = ("initial_delay", "multiplier", "max_delay")
    INITIAL_DELAY_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    MAX_DELAY_FIELD_NUMBER: _ClassVar[int]
    initial_delay: float
    multiplier: float
    max_delay: float
    def __init__(self, initial_delay: _Optional[float] = ..., multiplier: _Optional[float] = ..., max_delay: _Optional[float] = ...) -> None: ...

class RetryPolicyExponentialJitterWait(_message.Message):
    __slots__ = ("initial_delay", "multiplier", "max_delay")
    INITIAL_DELAY_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    MAX_DELAY_FIELD_NUMBER: _ClassVar[int]
    initial_delay: float
    multiplier: float
    max_delay: float
    def __init__(self, initial_delay: _Optional[float] = ..., multiplier: _Optional[float] = ..., max_delay: _Optional[float] = ...) -> None: ...

class RetryPolicyWait(_message.Message):
    __slots__ = ("fixed", "exponential", "exponential_jitter")
    FIXED_FIELD_NUMBER: _ClassVar[int]
    EXPONENTIAL_FIELD_NUMBER: _ClassVar[int]
    EXPONENTIAL_JITTER_FIELD_NUMBER: _ClassVar[int]
    fixed: RetryPolicyFixedWait
    exponential: RetryPolicyExponentialWait
    exponential_jitter: RetryPolicyExponentialJitterWait
    def __init__(self, fixed: _Optional[_Union[RetryPolicyFixedWait, _Mapping]] = ..., exponential: _Optional[_Union[RetryPolicyExponentialWait, _Mapping]] = ..., exponential_jitter: _Optional[_Union[RetryPolicyExponentialJitterWait, _Mapping]] = ...) -> None: ...

class RetryPolicyRetry(_message.Message):
    __slots__ = ("include_errors", "exclude_errors")
    INCLUDE_ERRORS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_ERRORS_FIELD_NUMBER: _ClassVar[int]
    include_errors: _containers.RepeatedScalarFieldContainer[str]
    exclude_errors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, include_errors: _Optional[_Iterable[str]] = ..., exclude_errors: _Optional[_Iterable[str]] = ...) -> None: ...

class RetryPolicy(_message.Message):
    __slots__ = ("version", "stop", "wait", "retry")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    version: int
    stop: RetryPolicyStop
    wait: RetryPolicyWait
    retry: RetryPolicyRetry
    def __init__(self, version: _Optional[int] = ..., stop: _Optional[_Union[RetryPolicyStop, _Mapping]] = ..., wait: _Optional[_Union[RetryPolicyWait, _Mapping]] = ..., retry: _Optional[_Union[RetryPolicyRetry, _Mapping]] = ...) -> None: ...

class SuccessResult(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: AnyValue
    def __init__(self, result: _Optional[_Union[AnyValue, _Mapping]] = ...) -> None: ...

class ErrorResult(_message.Message):
    __slots__ = ("type", "message", "data", "retriable")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    RETRIABLE_FIELD_NUMBER: _ClassVar[int]
    type: str
    message: str
    data: str
    retriable: bool
    def __init__(self, type: _Optional[str] = ..., message: _Optional[str] = ..., data: _Optional[str] = ..., retriable: bool = ...) -> None: ...

class AttemptReport(_message.Message):
    __slots__ = ("outcome", "started_ms", "ended_ms", "exit_code", "signal", "peak_memory_bytes", "cpu_us", "log_bytes", "log_lines", "retry_after_ms", "isolation", "left_behind")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    STARTED_MS_FIELD_NUMBER: _ClassVar[int]
    ENDED_MS_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    PEAK_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CPU_US_FIELD_NUMBER: _ClassVar[int]
    LOG_BYTES_FIELD_NUMBER: _ClassVar[int]
    LOG_LINES_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_FIELD_NUMBER: _ClassVar[int]
    LEFT_BEHIND_FIELD_NUMBER: _ClassVar[int]
    outcome: AttemptOutcome
    started_ms: int
    ended_ms: int
    exit_code: int
    signal: int
    peak_memory_bytes: int
    cpu_us: int
    log_bytes: int
    log_lines: int
    retry_after_ms: int
    isolation: str
    left_behind: str
    def __init__(self, outcome: _Optional[_Union[AttemptOutcome, str]] = ..., started_ms: _Optional[int] = ..., ended_ms: _Optional[int] = ..., exit_code: _Optional[int] = ..., signal: _Optional[int] = ..., peak_memory_bytes: _Optional[int] = ..., cpu_us: _Optional[int] = ..., log_bytes: _Optional[int] = ..., log_lines: _Optional[int] = ..., retry_after_ms: _Optional[int] = ..., isolation: _Optional[str] = ..., left_behind: _Optional[str] = ...) -> None: ...

class TaskResult(_message.Message):
    __slots__ = ("task_id", "success", "error", "attempt", "report")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    success: SuccessResult
    error: ErrorResult
    attempt: int
    report: AttemptReport
    def __init__(self, task_id: _Optional[str] = ..., success: _Optional[_Union[SuccessResult, _Mapping]] = ..., error: _Optional[_Union[ErrorResult, _Mapping]] = ..., attempt: _Optional[int] = ..., report: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class Task(_message.Message):
    __slots__ = ("task_id", "name", "args", "kwargs", "memory_limit", "cpu_limit", "attempt", "domain", "queue", "timeout_ms", "created_ms", "labels")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARGS_FIELD_NUMBER: _ClassVar[int]
    KWARGS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_LIMIT_FIELD_NUMBER: _ClassVar[int]
    CPU_LIMIT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    CREATED_MS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    name: str
    args: str
    kwargs: str
    memory_limit: int
    cpu_limit: int
    attempt: int
    domain: str
    queue: str
    timeout_ms: int
    created_ms: int
    labels: _containers.ScalarMap[str, str]
    def __init__(self, task_id: _Optional[str] = ..., name: _Optional[str] = ..., args: _Optional[str] = ..., kwargs: _Optional[str] = ..., memory_limit: _Optional[int] = ..., cpu_limit: _Optional[int] = ..., attempt: _Optional[int] = ..., domain: _Optional[str] = ..., queue: _Optional[str] = ..., timeout_ms: _Optional[int] = ..., created_ms: _Optional[int] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

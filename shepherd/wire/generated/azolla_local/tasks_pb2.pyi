from shepherd.wire.generated.azolla import orchestrator_pb2 as _orchestrator_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateTasksRequest(_message.Message):
    __slots__ = ("tasks",)
    TASKS_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[_orchestrator_pb2.CreateTaskRequest]
    def __init__(self, tasks: _Optional[_Iterable[_Union[_orchestrator_pb2.CreateTaskRequest, _Mapping]]] = ...) -> None: ...

class CreateTasksResponse(_message.Message):
    __slots__ = ("task_ids",)
    TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    task_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, task_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class WatchTasksRequest(_message.Message):
    __slots__ = ("task_ids",)
    TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    task_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, task_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class TasksEnded(_message.Message):
    __slots__ = ("ended",)
    ENDED_FIELD_NUMBER: _ClassVar[int]
    ended: _containers.RepeatedCompositeFieldContainer[TaskEnded]
    def __init__(self, ended: _Optional[_Iterable[_Union[TaskEnded, _Mapping]]] = ...) -> None: ...

class TaskEnded(_message.Message):
    __slots__ = ("task_id", "answer", "status", "attempts")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    answer: _orchestrator_pb2.WaitForTaskResponse
    status: str
    attempts: int
    def __init__(self, task_id: _Optional[str] = ..., answer: _Optional[_Union[_orchestrator_pb2.WaitForTaskResponse, _Mapping]] = ..., status: _Optional[str] = ..., attempts: _Optional[int] = ...) -> None: ...

"""The messages on the wire: as Azolla has them, generated from our own files, in a pool of their own."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FieldDescriptor

from shepherd.wire import calls, messages
from shepherd.wire.generate import GENERATED, generate
from shepherd.wire.pool import POOL

MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "azolla.common.AnyValue": {
        "string_value": (1, "string"),
        "int_value": (2, "int64"),
        "double_value": (3, "double"),
        "bool_value": (4, "bool"),
        "json_value": (5, "string"),
        "uint_value": (6, "uint64"),
    },
    "azolla.common.RetryPolicyStop": {"max_attempts": (1, "optional uint32"), "max_delay": (2, "optional double")},
    "azolla.common.RetryPolicyFixedWait": {"delay": (1, "double")},
    "azolla.common.RetryPolicyExponentialWait": {
        "initial_delay": (1, "double"),
        "multiplier": (2, "double"),
        "max_delay": (3, "double"),
    },
    "azolla.common.RetryPolicyExponentialJitterWait": {
        "initial_delay": (1, "double"),
        "multiplier": (2, "double"),
        "max_delay": (3, "double"),
    },
    "azolla.common.RetryPolicyWait": {
        "fixed": (1, "azolla.common.RetryPolicyFixedWait"),
        "exponential": (2, "azolla.common.RetryPolicyExponentialWait"),
        "exponential_jitter": (3, "azolla.common.RetryPolicyExponentialJitterWait"),
    },
    "azolla.common.RetryPolicyRetry": {
        "include_errors": (1, "repeated string"),
        "exclude_errors": (2, "repeated string"),
    },
    "azolla.common.RetryPolicy": {
        "version": (1, "uint32"),
        "stop": (2, "azolla.common.RetryPolicyStop"),
        "wait": (3, "azolla.common.RetryPolicyWait"),
        "retry": (4, "azolla.common.RetryPolicyRetry"),
    },
    "azolla.common.StructValue": {"json_data": (1, "string")},
    "azolla.common.SuccessResult": {"result": (1, "azolla.common.AnyValue")},
    "azolla.common.ErrorResult": {
        "type": (1, "string"),
        "message": (2, "string"),
        "data": (3, "string"),
        "retriable": (4, "bool"),
    },
    "azolla.common.TaskResult": {
        "task_id": (1, "string"),
        "success": (2, "azolla.common.SuccessResult"),
        "error": (3, "azolla.common.ErrorResult"),
    },
    "azolla.common.Task": {
        "task_id": (1, "string"),
        "name": (2, "string"),
        "args": (3, "string"),
        "kwargs": (4, "string"),
        "memory_limit": (5, "optional uint64"),
        "cpu_limit": (6, "optional uint32"),
    },
    "azolla.orchestrator.CreateTaskRequest": {
        "name": (1, "string"),
        "domain": (2, "string"),
        "retry_policy": (3, "azolla.common.RetryPolicy"),
        "args": (4, "string"),
        "kwargs": (5, "string"),
        "flow_instance_id": (6, "optional string"),
        "shepherd_group": (7, "optional string"),
    },
    "azolla.orchestrator.CreateTaskResponse": {"task_id": (1, "string")},
    "azolla.orchestrator.WaitForTaskRequest": {
        "task_id": (1, "string"),
        "domain": (2, "string"),
        "timeout_ms": (3, "optional uint64"),
    },
    "azolla.orchestrator.WaitForTaskResponse": {
        "status_code": (1, "azolla.orchestrator.WaitForTaskStatus"),
        "success": (2, "azolla.common.SuccessResult"),
        "error": (3, "azolla.common.ErrorResult"),
    },
    "azolla.orchestrator.CreateFlowRequest": {"name": (1, "string"), "domain": (2, "string"), "dag": (3, "string")},
    "azolla.orchestrator.CreateFlowResponse": {"flow_id": (1, "string")},
    "azolla.orchestrator.WaitForFlowRequest": {"flow_id": (1, "string"), "domain": (2, "string")},
    "azolla.orchestrator.WaitForFlowResponse": {"status": (1, "string")},
    "azolla.orchestrator.PublishTaskEventRequest": {
        "task_instance_id": (1, "string"),
        "domain": (2, "string"),
        "event_type": (3, "int32"),
        "metadata": (4, "string"),
    },
    "azolla.orchestrator.PublishTaskEventResponse": {"success": (1, "bool")},
    "azolla.orchestrator.PublishFlowEventRequest": {
        "flow_instance_id": (1, "string"),
        "domain": (2, "string"),
        "event_type": (3, "int32"),
        "metadata": (4, "string"),
    },
    "azolla.orchestrator.PublishFlowEventResponse": {"success": (1, "bool")},
    "azolla.orchestrator.ClientMsg": {
        "hello": (1, "azolla.orchestrator.Hello"),
        "ack": (2, "azolla.orchestrator.Ack"),
        "status": (3, "azolla.orchestrator.Status"),
        "task_result": (4, "azolla.common.TaskResult"),
    },
    "azolla.orchestrator.ServerMsg": {
        "task": (1, "azolla.common.Task"),
        "ping": (2, "azolla.orchestrator.Ping"),
    },
    "azolla.orchestrator.Hello": {
        "shepherd_uuid": (1, "string"),
        "max_concurrency": (2, "uint32"),
        "domain": (3, "string"),
        "shepherd_group": (4, "string"),
    },
    "azolla.orchestrator.Ack": {"task_id": (1, "string")},
    "azolla.orchestrator.Status": {"current_load": (1, "uint32"), "available_capacity": (2, "uint32")},
    "azolla.orchestrator.Ping": {"timestamp": (1, "int64")},
    "azolla.shepherd.ReportResultRequest": {"task_id": (1, "string"), "result": (2, "azolla.common.TaskResult")},
    "azolla.shepherd.ReportResultResponse": {"success": (1, "bool"), "message": (2, "string")},
}
"""Azolla's contract, every message and field. Extensions of ours lie from 1000 up."""

ONEOFS = {
    "azolla.common.AnyValue": "value",
    "azolla.common.RetryPolicyWait": "kind",
    "azolla.common.TaskResult": "result_type",
    "azolla.orchestrator.WaitForTaskResponse": "result_type",
    "azolla.orchestrator.ClientMsg": "kind",
    "azolla.orchestrator.ServerMsg": "kind",
}

SERVICES = {
    calls.CLIENT_SERVICE: (
        "CreateTask",
        "WaitForTask",
        "CreateFlow",
        "WaitForFlow",
        "PublishTaskEvent",
        "PublishFlowEvent",
    ),
    calls.CLUSTER_SERVICE: ("Stream",),
    calls.WORKER_SERVICE: ("ReportResult",),
    calls.TASKS_SERVICE: ("CreateTasks", "WatchTasks"),
}

EXTENSIONS_FROM = 1000

_TYPES = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_UINT64: "uint64",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_BOOL: "bool",
}


def kind(field: FieldDescriptor) -> str:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        name = field.message_type.full_name
    elif field.type == FieldDescriptor.TYPE_ENUM:
        name = field.enum_type.full_name
    else:
        name = _TYPES[field.type]
    if field.is_repeated:
        return f"repeated {name}"
    oneof = field.containing_oneof
    optional = oneof is not None and oneof.name == f"_{field.name}"
    return f"optional {name}" if optional else name


@pytest.mark.parametrize("name", MESSAGES)
def test_fields_are_those_of_azolla(name: str) -> None:
    descriptor = POOL.FindMessageTypeByName(name)
    ours = {field.name: (field.number, kind(field)) for field in descriptor.fields if field.number < EXTENSIONS_FROM}
    assert ours == MESSAGES[name]


@pytest.mark.parametrize("name", ONEOFS)
def test_one_of_holds_azollas_fields_and_our_kinds(name: str) -> None:
    descriptor = POOL.FindMessageTypeByName(name)
    oneof = descriptor.oneofs_by_name[ONEOFS[name]]
    holds = {field.name for field in oneof.fields}
    alone = {"azolla.common.TaskResult": {"task_id"}, "azolla.orchestrator.WaitForTaskResponse": {"status_code"}}
    assert holds >= MESSAGES[name].keys() - alone.get(name, set())


def test_the_statuses_of_a_wait() -> None:
    enum = POOL.FindEnumTypeByName("azolla.orchestrator.WaitForTaskStatus")
    assert {value.name: value.number for value in enum.values} == {
        "WAIT_FOR_TASK_STATUS_UNSPECIFIED": 0,
        "WAIT_FOR_TASK_STATUS_COMPLETED": 1,
        "WAIT_FOR_TASK_STATUS_TIMEOUT": 2,
        "WAIT_FOR_TASK_STATUS_TASK_NOT_FOUND": 3,
        "WAIT_FOR_TASK_STATUS_INTERNAL_ERROR": 4,
    }


@pytest.mark.parametrize("name", SERVICES)
def test_calls_have_azollas_names(name: str) -> None:
    assert tuple(method.name for method in POOL.FindServiceByName(name).methods) == SERVICES[name]


def test_outcomes_on_the_wire_are_those_of_the_model() -> None:
    from sandbox.model.status import AttemptOutcome

    enum = POOL.FindEnumTypeByName("azolla.common.AttemptOutcome")
    on_the_wire = {value.name.removeprefix("ATTEMPT_OUTCOME_"): value.number for value in enum.values if value.number}
    assert on_the_wire == {outcome.name: int(outcome) for outcome in AttemptOutcome}


def test_what_is_checked_in_is_what_the_generator_makes(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="grpcio-tools makes the modules; it comes with the dev extra")
    made = tmp_path / "generated"
    generate(made)
    there = {path.relative_to(GENERATED) for path in GENERATED.rglob("*.py*") if path.suffix in {".py", ".pyi"}}
    assert {path.relative_to(made) for path in made.rglob("*.py*")} == there
    for path in sorted(there):
        assert (GENERATED / path).read_text() == (made / path).read_text(), f"{path}: python -m shepherd.wire.generate"


def test_the_pool_is_our_own_so_that_azollas_client_fits_into_the_same_process() -> None:
    default = descriptor_pool.Default()
    with pytest.raises(KeyError):
        default.FindFileByName("azolla/common.proto")
    # What Azolla's stubs do at import: files and messages of the same names in the default pool.
    own = POOL.FindFileByName("azolla/common.proto")
    other = descriptor_pool.DescriptorPool()
    other.AddSerializedFile(own.serialized_pb)
    assert other.FindMessageTypeByName("azolla.common.Task") is not messages.Task.DESCRIPTOR


def test_every_name_that_is_offered_is_a_message_of_our_pool() -> None:
    assert messages.__all__ == sorted(messages.__all__)
    for name in messages.__all__:
        assert getattr(messages, name).DESCRIPTOR.file.pool is POOL


def test_extensions_are_not_seen_by_a_peer_that_doesnt_know_them() -> None:
    hello = messages.Hello(shepherd_uuid="x", max_concurrency=3, protocol_version=1, window=9, host="here")
    plain = messages.Hello(shepherd_uuid="x", max_concurrency=3)
    known = hello.SerializeToString()[: len(plain.SerializeToString())]
    assert known == plain.SerializeToString()  # extensions come after all that Azolla reads


def test_generated_code_is_reached_through_messages_only() -> None:
    assert importlib.import_module("shepherd.wire.messages") is sys.modules["shepherd.wire.messages"]
    root = Path(__file__).parents[2]
    reaching = [
        path.relative_to(root).as_posix()
        for package in ("sandbox", "shepherd")
        for path in (root / package).rglob("*.py")
        if "shepherd.wire.generated" in path.read_text()
    ]
    assert {path for path in reaching if not path.startswith("shepherd/wire/")} == set()

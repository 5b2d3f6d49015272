"""A gRPC server on a real loopback socket, over the core with the memory store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc.aio
import pytest

from sandbox.api.rpc.client_service import ClientCalls, TasksCalls
from sandbox.api.rpc.cluster_service import ClusterCalls
from sandbox.api.rpc.server import RpcServer
from sandbox.model.clock import SystemClock
from tests.support.core import CoreWorld
from tests.support.held_store import HeldStore
from tests.support.stores import store
from tests.unit.sandbox.rpc.peers import Clients, ScriptedShepherd

__all__ = ["store"]


class Served:
    """The core and its door."""

    def __init__(self, core: CoreWorld, channel: grpc.aio.Channel) -> None:
        self.core = core
        self.channel = channel
        self.clients = Clients(channel)
        self.shepherds: list[ScriptedShepherd] = []

    async def shepherd(self, **hello: object) -> ScriptedShepherd:
        """One that has said hello; ours unless told otherwise."""
        peer = ScriptedShepherd(self.channel)
        self.shepherds.append(peer)
        await peer.hello(**hello)
        return peer


@pytest.fixture
async def served(store: HeldStore) -> AsyncIterator[Served]:
    """Time is real here, and short."""
    clock = SystemClock()
    core = await CoreWorld(store, clock).start()
    cluster = ClusterCalls(
        core.engine, core.reception, core.shepherds, clock, heartbeat_s=2, lease_s=10, version="test"
    )
    server = RpcServer(ClientCalls(core.tasks), TasksCalls(core.tasks), cluster)
    port = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        world = Served(core, channel)
        yield world
        for shepherd in world.shepherds:
            shepherd.cancel()
    await server.stop(0)
    await core.engine.stop()

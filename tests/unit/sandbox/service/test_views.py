"""Shepherds and the orchestrator itself, as people see them."""

from __future__ import annotations

from pathlib import Path

from sandbox.service.shepherds import ShepherdService
from sandbox.service.upkeep import UpkeepService
from tests.support.core import CoreWorld
from tests.support.factories import OTHER_SHEPHERD, SHEPHERD, make_azolla_info, make_connection, make_info, make_new


async def test_connected_shepherds_come_first(core: CoreWorld):
    gone = make_connection(make_info(SHEPHERD, host="a", version="0.1", pid=7, labels={"zone": "x"}))
    core.reception.welcome(gone)
    core.shepherds.offer(SHEPHERD, {"render": None, "crop": None})
    core.reception.goodbye(gone, "")
    core.reception.welcome(make_connection(make_azolla_info(OTHER_SHEPHERD)))
    await core.tasks.create(make_new(), checked_name=False)
    azolla, ours = ShepherdService(core.shepherds, core.engine).list()
    assert (azolla.shepherd_id, azolla.connected, azolla.domains, azolla.running) == (
        OTHER_SHEPHERD,
        True,
        "default",
        1,
    )
    assert (ours.connected, ours.domains, ours.running, ours.tasks) == (False, "*", 0, ("crop", "render"))
    assert (ours.host, ours.pid, ours.version, ours.epoch, ours.labels) == ("a", 7, "0.1", 1, {"zone": "x"})
    assert ours.last_seen_ms == core.clock.now_ms()


async def test_status_and_gauges(core: CoreWorld, tmp_path: Path):
    database = tmp_path / "azolla.db"
    database.write_bytes(b"x" * 100)
    (tmp_path / "azolla.db-wal").write_bytes(b"x" * 11)
    upkeep = UpkeepService(
        core.engine,
        core.store,
        core.shepherds,
        core.waiters,
        core.clock,
        facts={"environment": "test"},
        database=database,
    )
    await core.tasks.create(make_new(), checked_name=True)
    core.clock.advance(2)
    status = await upkeep.status()
    assert (status["environment"], status["tasks"], status["unended"], status["ready"]) == (
        "test",
        {"pending": 1},
        1,
        1,
    )
    assert (status["uptime_s"], status["shepherds_connected"], status["waiting_clients"]) == (2.0, 0, 0)
    assert status["database"]["bytes"] == 111
    gauges = upkeep.gauges()
    assert (gauges["tasks_unended"], gauges["tasks_ready"], gauges["shepherds_connected"]) == (1, 1, 0)
    assert gauges["store_commits"] >= 2
    assert upkeep.ready()

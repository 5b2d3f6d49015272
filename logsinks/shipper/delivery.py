"""Hands what was gathered of an attempt to one sink, until the sink has it, and counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from logsinks.contract import Batch, NamedSink
from logsinks.errors import Busy, Denied, Moved, Refused
from logsinks.identity import AttemptIdentity
from logsinks.shipper.attempts import Shipping
from logsinks.shipper.retrying import Breaker
from logsinks.shipper.stats import SinkState

_log = logging.getLogger(__name__)


class Delivery:
    """One for each sink; so is the breaker: while the sink fails, nothing else is sent to it."""

    def __init__(
        self, named: NamedSink, breaker: Breaker, on_opened: Callable[[AttemptIdentity, str, str], None]
    ) -> None:
        self.name = named.name
        self.sink = named.sink
        self._breaker = breaker
        self._on_opened = on_opened
        self.state = SinkState.WORKING
        self.shipped_bytes = 0
        self.sealed_logs = 0
        self.refused_records = 0
        self.errors = 0
        self.last_error = ""

    async def deliver(self, shipping: Shipping) -> bool:
        """Until the sink has all that was gathered, however long that takes; whether the log is sealed now."""
        while True:
            try:
                await self._hand_over(shipping)
            except Moved as moved:
                shipping.go_on_at(moved.watermark)
            except Refused as refused:
                self.refused_records += refused.records
                self.last_error = str(refused)
                _log.warning("sink %s: %s: %s", self.name, shipping.identity.task_id, refused)
                shipping.gathered.skip_to(refused.watermark)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - sinks come from anywhere; none may stop the others
                shipping.opened = False
                await self._back_off(error)
            else:
                break
        if self._breaker.failures:
            self._breaker.succeeded()
            self.state = SinkState.WORKING
        if shipping.trailer is None:
            return False
        shipping.gathered.clear()
        self.sealed_logs += 1
        return True

    async def _hand_over(self, shipping: Shipping) -> None:
        identity, gathered = shipping.identity, shipping.gathered
        if (
            shipping.trailer is not None
            and not shipping.opened
            and gathered.records
            and gathered.records[0].offset == 0
        ):
            locator = await self.sink.store(Batch(identity, gathered.records), shipping.trailer)
            self._on_opened(identity, self.name, locator)
            self.shipped_bytes += shipping.trailer.bytes
            return
        if not shipping.opened:
            opened = await self.sink.open(identity)
            self._on_opened(identity, self.name, opened.locator)
            shipping.go_on_at(opened.watermark)
            shipping.opened = True
        while gathered.records:
            start, end = gathered.records[0].offset, gathered.records[-1].end
            watermark = await self.sink.write(Batch(identity, gathered.records))
            if watermark <= start < end:
                raise Busy("The sink has taken nothing of what it was given", subject=self.name)
            self.shipped_bytes += max(0, watermark - start)
            if watermark >= end:
                gathered.clear()
            else:
                gathered.skip_to(watermark)
        if shipping.trailer is not None:
            await self.sink.seal(identity, shipping.trailer)

    async def _back_off(self, error: Exception) -> None:
        self.errors += 1
        self.last_error = str(error)
        denied = isinstance(error, Denied)
        if self._breaker.failures == 0 or denied != (self.state is SinkState.DENIED):
            _log.warning("sink %s: %s", self.name, error)
        self.state = SinkState.DENIED if denied else SinkState.BACKING_OFF
        await asyncio.sleep(self._breaker.failed(error))

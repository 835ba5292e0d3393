"""A copy of history on its way to a second database: never in the way of the scan, nor of the first.

What waits is bounded; when the bound is reached the oldest goes, because the first database has it all and people look
at the newest. A transition is told once, everything else is counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from controller.core.errors import RecordsRefused, RemoteUnreachable
from controller.core.event import Event, EventKind
from controller.core.ports import RecordedSample, RemoteHistorian
from controller.runtime.backoff import Backoff
from controller.runtime.journal import Journal

log = logging.getLogger(__name__)

# About 20 MiB; at 100 changes a second a quarter of an hour.
MOST_PENDING = 100_000
# Making the lines of one batch holds the loop for about 4 ms.
BATCH = 1_000
SEND_EVERY_S = 1.0
# A database that asks for more (Retry-After) is asked again all the same.
LONGEST_PAUSE_S = 300.0
# Stopping waits no longer for a last delivery.
LAST_DELIVERY_S = 2.0

Record = RecordedSample | Event


class Forwarder:
    """Takes every event of the journal, and the samples that it is offered.

    sent, dropped (for want of room), refused (by the database): records since the start. trouble: why nothing is
    delivered at present, "" while it is.
    """

    def __init__(self, remote: RemoteHistorian, journal: Journal) -> None:
        self._remote = remote
        self._journal = journal
        self._backoff = Backoff(remote.name)
        self._told_of_refusal = False
        self._waiting: deque[Record] = deque()
        self._on_its_way: list[Record] = []
        self.trouble = ""
        self.sent = 0
        self.dropped = 0
        self.refused = 0
        journal.listeners.append(lambda event: self.offer((event,)))

    @property
    def name(self) -> str:
        return self._remote.name

    @property
    def pending(self) -> int:
        return len(self._waiting) + len(self._on_its_way)

    def offer(self, records: Iterable[Record]) -> None:
        """Take a copy to be delivered some time; never waits."""
        self._waiting.extend(records)
        self._drop_oldest()

    def succeed(self, earlier: Forwarder) -> None:
        """Deliver what an earlier one could not; the earlier one is to be abandoned."""
        self._waiting.extendleft(reversed(earlier._waiting))
        self._drop_oldest()
        self.sent, self.refused, self.trouble = earlier.sent, earlier.refused, earlier.trouble
        self.dropped += earlier.dropped

    async def abandon(self) -> None:
        """The end without another attempt."""
        await self._remote.close()

    async def run(self) -> None:
        while True:
            pause = await self._deliver()
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """One more attempt, then the end; what is left is told and gone."""
        try:
            async with asyncio.timeout(LAST_DELIVERY_S):
                await self._deliver()
        except TimeoutError:
            self.trouble = self.trouble or "slow"
        finally:
            await self._remote.close()
        if self.pending:
            log.warning("%s: %d records of history were not sent", self.name, self.pending)

    async def _deliver(self) -> float:
        """Send until nothing waits or something is in the way; answers the pause until the next time."""
        while self._waiting:
            self._take_batch()
            try:
                told = await self._remote.append(self._on_its_way)
            except RecordsRefused as error:
                self._note_refusal(error)
            except RemoteUnreachable as error:
                self._put_back()
                self._note_trouble(error)
                return max(self._backoff.next_pause(), min(error.ask_again_after, LONGEST_PAUSE_S))
            except BaseException:
                self._put_back()
                raise
            else:
                self.sent += told
                self.refused += len(self._on_its_way) - told
            self._on_its_way = []
            self._note_delivery()
        return SEND_EVERY_S

    def _take_batch(self) -> None:
        waiting = self._waiting
        self._on_its_way = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]

    def _put_back(self) -> None:
        self._waiting.extendleft(reversed(self._on_its_way))
        self._on_its_way = []
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        while len(self._waiting) > MOST_PENDING:
            self._waiting.popleft()
            self.dropped += 1

    # --- what is told ---------------------------------------------------------------------------------------------

    def _note_refusal(self, error: RecordsRefused) -> None:
        if not self._told_of_refusal:
            self._told_of_refusal = True
            log.warning("%s refuses records of history; they are counted, not sent again: %s", self.name, error)
            self._note("refuses records", cause=str(error))
        self.refused += len(self._on_its_way)

    def _note_trouble(self, error: RemoteUnreachable) -> None:
        if not self.trouble:
            log.warning("%s takes no history, up to %d records wait: %s", self.name, MOST_PENDING, error)
            self._note("lost", cause=str(error))
        self.trouble = str(error)

    def _note_delivery(self) -> None:
        self._backoff.reset()
        if self.trouble:
            self.trouble = ""
            log.info("%s takes history again; %d records were dropped so far", self.name, self.dropped)
            self._note("back")

    def _note(self, state: str, cause: str = "") -> None:
        body = {"state": state, "cause": cause, "sent": self.sent, "pending": self.pending, "dropped": self.dropped}
        self._journal.note(EventKind.DAEMON, self.name, {**body, "refused": self.refused})

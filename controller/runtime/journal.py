"""The daemon's event stream: every transition once, stamped with time and configuration."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from controller.core.event import Event, EventKind, JsonValue
from controller.core.ports import Clock, Historian

# What the live view can scroll back; the whole stream is in history.
RECENT = 500
# Events wait for the historian in memory; a historian that is away for days must not take the daemon with it.
MOST_PENDING = 100_000


class Journal:
    def __init__(self, clock: Clock, digest: str) -> None:
        self._clock = clock
        self._digest = digest
        self.recent: deque[Event] = deque(maxlen=RECENT)
        self.pending: deque[Event] = deque()
        self.dropped = 0
        self._dropped_told = 0
        self.listeners: list[Callable[[Event], None]] = []

    def begin_configuration(self, digest: str, listeners: Sequence[Callable[[Event], None]] = ()) -> None:
        """From now on events carry this hash; whoever is put together for the configuration listens anew."""
        self._digest = digest
        self.listeners = [*listeners]

    def note(self, kind: EventKind, subject: str, body: Mapping[str, JsonValue]) -> None:
        event = Event(self._clock.now(), kind, subject, {**body, "configuration": self._digest})
        self.recent.append(event)
        if len(self.pending) >= MOST_PENDING:
            self.pending.popleft()
            self.dropped += 1
        self.pending.append(event)
        for listener in self.listeners:
            listener(event)

    async def flush(self, historian: Historian) -> None:
        """Hand the pending events over; raises HistorianError and keeps them where that fails.

        What had to be dropped meanwhile is itself an event: a chain without a gap must not hide that there is one.
        """
        await self._hand_over(historian)
        if self.dropped > self._dropped_told:
            lost, self._dropped_told = self.dropped - self._dropped_told, self.dropped
            self.note(EventKind.DAEMON, "history", {"trouble": "events lost", "events": lost})
            await self._hand_over(historian)

    async def _hand_over(self, historian: Historian) -> None:
        events = list(self.pending)
        if not events:
            return
        dropped = self.dropped
        await historian.append_events(events)
        # Some of them may have been pushed out while they were being stored; those are not lost.
        pushed_out = min(self.dropped - dropped, len(events))
        self.dropped -= pushed_out
        for _ in range(len(events) - pushed_out):
            self.pending.popleft()

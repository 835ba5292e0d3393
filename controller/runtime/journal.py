"""The daemon's event stream: every transition once, stamped with time and configuration."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

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
        self.listeners: list[Callable[[Event], None]] = []

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
        """Hand the pending events over; raises HistorianError and keeps them where that fails."""
        events = list(self.pending)
        if not events:
            return
        await historian.append_events(events)
        for _ in events:
            self.pending.popleft()

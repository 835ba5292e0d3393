"""The site as the process of one server sees it: a picture that is told, and a way to have something written.

The plant is in another process. What it shows is told several times a second; what a client writes is handed back at
once, and is acknowledged to him when the plant has taken or refused it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from simulator.device_clock import DeviceClock, clock_tag
from simulator.faults.wire import WELL, Wire
from simulator.gateway import Value
from simulator.servers.link import ServedLink
from simulator.tags import Tag


class Changes(NamedTuple):
    """values: those that are new. wires: of every point whose device answers otherwise than it should."""

    values: Mapping[str, Value | None]
    wires: Mapping[str, Wire]
    has_reading_faults: bool


class Begin(NamedTuple):
    """The first message to a server. tags: of every point that it may ask for."""

    link: ServedLink
    tags: Mapping[str, Tag]
    clock: DeviceClock
    changes: Changes


class Wish(NamedTuple):
    """From a server: what a client writes; None where nobody commands any more."""

    name: str
    value: Value | None


class Answer(NamedTuple):
    """To a wish. problem: why it was refused, empty if it was taken."""

    problem: str
    changes: Changes


class Serving(NamedTuple):
    """From a server: it serves from now on."""

    port: int


class NotServing(NamedTuple):
    """From a server: it cannot. for_ever: nor could it later."""

    problem: str
    for_ever: bool


class Following(NamedTuple):
    """From a server: it has taken the last changes, and may be told more. is_in_use: whether a client is there."""

    is_in_use: bool


class Picture:
    """The site as it was told last. ask: have a wish done, and wait until it is; what it changed is told by then."""

    def __init__(self, begin: Begin, ask: Callable[[Wish], Answer]) -> None:
        self._tags = begin.tags
        self._clock = begin.clock
        self._ask = ask
        self._values: dict[str, Value | None] = {}
        self._changes = begin.changes
        self.take(begin.changes)

    def take(self, changes: Changes) -> None:
        self._values.update(changes.values)
        self._changes = changes

    @property
    def now(self) -> datetime:
        """Simulated time, aware UTC."""
        return self._clock.clock.now()

    @property
    def speed(self) -> float:
        return self._clock.clock.speed

    def tag(self, name: str) -> Tag:
        """Raises KeyError for a name that is no tag."""
        return clock_tag(name) or self._tags[name]

    def refresh(self) -> None:
        """What there is to know was told."""

    def read(self, name: str) -> Value | None:
        if name in self._values:
            return self._values[name]
        return self._clock.shown(self.tag(name))

    def write(self, name: str, value: Value) -> None:
        """Raises ValueError for what the device refuses."""
        self._have_done(Wish(name, value))

    def release(self, name: str) -> None:
        """Raises ValueError for what the device refuses."""
        self._have_done(Wish(name, None))

    def _have_done(self, wish: Wish) -> None:
        answer = self._ask(wish)
        if answer.problem:
            raise ValueError(answer.problem)

    def wire(self, name: str) -> Wire:
        return self._changes.wires.get(name, WELL)

    @property
    def has_reading_faults(self) -> bool:
        return self._changes.has_reading_faults

"""The seams of the shell: what a clock, a driver and a historian must offer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeAlias, runtime_checkable

from controller.core.discovery import Scan
from controller.core.event import Event, EventKind
from controller.core.event_chain import ChainHead
from controller.core.flow import FlowsOf
from controller.core.point import Binding, PointId
from controller.core.sample import Sample, Scalar
from controller.core.units import Linear


class Phase(IntEnum):
    """Who goes first among wake-ups of the same instant on virtual time."""

    PLANT = 0
    POLL = 1
    CALENDAR = 2
    SCAN = 3
    WRITE = 4
    RECORD = 5


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall time, aware UTC: for calendars, display and storage."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump: for leases, ages, holds and minimum times. Scaled in a fast simulation."""
        ...

    def wire_time(self) -> float:
        """Seconds of protocol time-outs, keepalives and back-off: real even in a fast simulation."""
        ...

    async def sleep_until(self, deadline: float, phase: Phase, name: str) -> None:
        """Return once monotonic() >= deadline. Phase and name order the wake-ups of one instant."""
        ...

    def outside(self) -> AbstractContextManager[None]:
        """While inside the block, something outside is at work and virtual time stands still."""
        ...


RecordedSample: TypeAlias = tuple[PointId, Sample]
"""A bare tuple: the daemon makes thousands of them a second."""


class WriteResult(NamedTuple):
    """Whether the device accepted the bytes; believed only when read back."""

    accepted: bool
    reason: str = ""


class Driver(Protocol):
    """One link with its devices. Bindings are given at construction, so that requests are planned once."""

    async def __aenter__(self) -> Self:
        """Connect. Raises ConnectFailed, DeviceTimeout or DeviceRefused."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        """A sample for every point asked for; trouble with one point or device is a BAD sample.

        Raises DeviceError only where the whole link is lost.
        """
        ...

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        """Write in the order given; None relinquishes where the protocol can. An answer for every point."""
        ...


@runtime_checkable
class Subscribes(Protocol):
    """Optional capability of a driver: devices tell what changed, without being asked."""

    def changes(self) -> AsyncGenerator[Mapping[PointId, Sample]]:
        """What arrives, as it arrives, while the driver is open. `read` answers for these points all the same.

        Raises DeviceError when the link is lost.
        """
        ...


@runtime_checkable
class Stepped(Protocol):
    """Optional capability of a driver: a plant whose time passes only when it is told, as a simulation's does.

    The shell brings it forward before it reads and before it writes: at each poll on the clock's grid, and whenever a
    value is written between two of them. So the clock, virtual or not, is the only one there is.
    """

    async def advance(self) -> None:
        """Bring the plant to the clock's present, with what was written so far. Nothing happens where it is there.

        Raises DeviceError; the plant is then where it was, or knows itself where it is.
        """
        ...


class Inspection(NamedTuple):
    """One point looked at closely. raw: how the wire spells the value, before any scaling ("0x00D7", "enum 3")."""

    sample: Sample
    raw: str


@runtime_checkable
class Inspects(Protocol):
    """Optional capability of a driver: show a value as the wire has it, for commissioning."""

    async def inspect(self, point: PointId) -> Inspection:
        """Ask the device itself, now. Raises DeviceError only where the whole link is lost."""
        ...


class Address(Protocol):
    """Where a point lives on its link; every driver owns its own."""

    @property
    def can_write(self) -> bool: ...

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two addresses that are the same place on one device."""
        ...

    def converted(self, conversion: Linear) -> Self:
        """The same place, its values turned into the inside unit."""
        ...


@runtime_checkable
class StartsWith(Protocol):
    """Optional capability of an address: a value that is there while nobody writes."""

    @property
    def default(self) -> Scalar | None: ...


class OpenDriver(Protocol):
    def __call__(self, link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Driver: ...


@dataclass(frozen=True, slots=True)
class DriverKind:
    """A protocol as the registry knows it.

    connection: a frozen dataclass of the link's parameters. address: a frozen dataclass (an Address) whose fields are
    what a template may say of a point; `device_fields` are those of them that a device says once for all its points
    (a Modbus unit id). relinquishes: whether writing None empties our slot at the device. is_virtual: its values live
    in this process and end with it, so that nothing stays behind when we fall silent. is_stepped: whether its plant's
    time passes only when we tell it (its driver is `Stepped`): it stands still when we fall silent, and nobody runs it
    on a real clock. carries_text: whether a value may be a text. scan: how `tidewatt scan` finds out what is there;
    loading it costs nothing. flows: what a link takes of the network, for `tidewatt ports`; None where the driver does
    not tell.
    """

    name: str
    connection: type[Any]
    address: type[Any]
    device_fields: tuple[str, ...]
    open: OpenDriver
    relinquishes: bool = False
    is_virtual: bool = False
    is_stepped: bool = False
    carries_text: bool = False
    scan: Scan | None = None
    flows: FlowsOf | None = None

    @property
    def lives_on(self) -> bool:
        """Whether there is something behind it that goes on without us, and has to be tested and let go."""
        return not (self.is_virtual or self.is_stepped)


class Aggregate(NamedTuple):
    """One interval of one point.

    start: aware UTC. samples: how many good ones. mean: over time. good_share: of the interval's time.
    """

    start: datetime
    samples: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    last: float | None
    good_share: float


class HistoryInterval(IntEnum):
    """Aggregation steps that history keeps, in seconds."""

    MINUTE = 60
    HOUR = 3600
    DAY = 86400


class Historian(Protocol):
    """Two streams: samples, thinned with age, and events, kept for ever. Never in the way of the scan."""

    async def append_samples(self, rows: Sequence[RecordedSample]) -> None: ...

    async def append_events(self, events: Sequence[Event]) -> None:
        """Each becomes a line of the chain (`core/event_chain.py`), in the order given."""
        ...

    async def chain_head(self) -> ChainHead | None:
        """The newest event's line, once everything up to it is safe from a power cut; None where there is none."""
        ...

    async def chain_at(self, number: int) -> ChainHead | None:
        """The line of that number, if there is one."""
        ...

    async def read_samples(self, point: PointId, start: datetime, end: datetime) -> Sequence[Sample]: ...

    async def read_aggregates(
        self, point: PointId, start: datetime, end: datetime, interval: HistoryInterval
    ) -> Sequence[Aggregate]: ...

    async def read_events(
        self, start: datetime, end: datetime, kinds: Collection[EventKind] = (), subject: str | None = None
    ) -> Sequence[Event]: ...

    async def maintain(self, now: datetime) -> None:
        """Thin and tidy up; nightly, in short steps between which appending goes first."""
        ...

    async def close(self) -> None: ...


class RemoteHistorian(Protocol):
    """A second database, elsewhere, that gets a copy of what history records."""

    @property
    def name(self) -> str:
        """What people call it: influxdb."""
        ...

    async def append(self, records: Sequence[RecordedSample | Event]) -> int:
        """Deliver all of it; answers how many could be told. What was delivered before may come again.

        Raises RemoteUnreachable where the same may work later, RecordsRefused where it never will.
        """
        ...

    async def close(self) -> None: ...

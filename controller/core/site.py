"""A site as the running daemon knows it: compiled, complete, immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from controller.core.ab_days import ABDays
from controller.core.alarm_route import Route
from controller.core.alarm_rule import Adjustment, PointRule
from controller.core.command import Priority
from controller.core.equipment_log import EquipmentLogging
from controller.core.file_state import FileState
from controller.core.fire import FireInput
from controller.core.lamp_messages import LampMessages
from controller.core.point import Binding, Point, PointId
from controller.core.ports import DriverKind
from controller.core.siren import Siren
from controller.core.strategy import Mode, Position, Role, Strategy, StrategyKind
from controller.core.system import Authority, System
from controller.core.tariff import Tariff
from controller.core.terrain import Terrain
from controller.core.text import Text
from controller.core.utilities import Gas, Water

ReloadBy: TypeAlias = Literal["command", "watch"]


@dataclass(frozen=True, slots=True)
class SimulationClock:
    """Points by which a simulated device proves what it is and tells the time it lives in."""

    nonce: PointId
    time: PointId
    speed: PointId


@dataclass(frozen=True, slots=True)
class Device:
    """What fails together and is polled together; its urgent points may be polled more often than the rest."""

    id: str
    points: tuple[PointId, ...]
    poll_every: timedelta
    simulation: SimulationClock | None = None
    urgent: tuple[PointId, ...] = ()
    urgent_every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One connection with its devices; bindings include the simulation points of its devices."""

    id: str
    driver: DriverKind
    connection: Any
    devices: tuple[Device, ...]
    bindings: tuple[Binding[Any], ...]


SCANS_WITHIN_LEASE = 3
"""A lease that ends sooner could end between two scans."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A strategy bound to this site's points. parameters: what it was built from, of its kind's type."""

    id: str
    kind: StrategyKind
    strategy: Strategy[Any]
    mode: Mode
    roles: Mapping[Role, PointId]
    priority: Priority
    lease: timedelta
    parameters: Any = None

    def at_pace(self, scan_every: timedelta) -> Mount:
        """The same where scans are further apart than the site's own."""
        return replace(self, lease=max(self.lease, SCANS_WITHIN_LEASE * scan_every))


@dataclass(frozen=True, slots=True)
class ForecastTarget:
    """A measured load, kW, whose next day is forecast. temperature: outdoors, °C; None where nothing measures it."""

    point: PointId
    temperature: PointId | None


@dataclass(frozen=True, slots=True)
class InfluxDatabase:
    """Where history is copied to. url: without the API's path. token: "" for a database that asks for none."""

    url: str
    organisation: str
    bucket: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Alarming:
    """What a site adds to the alarms that are there without it, and who is told."""

    rules: tuple[PointRule, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    routes: tuple[Route, ...] = ()
    siren: Siren | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom the night shift calls."""

    who: Text
    phone: str


@dataclass(frozen=True, slots=True)
class Site:
    """digest: hash of the compiled configuration, carried by every event. first_authority: where systems stand at the
    very first start; from then on what people set is kept in the store. out_of_service: equipment that is not to be
    used, and why. has_free_running_clock: no time server keeps the machine's clock, and people vouch for it.
    authority_files: scripts may keep systems with their original controls by files. start_gap: between the starts of
    two machines. ab_days: systems that are the original controls' and ours by turns. terrain: what stands before the
    sky, None where it is level. lamp_messages: for people who set time switches by hand. reload: whether a running
    daemon waits to be told, or watches its files. files: what it was compiled from, as it was then, files that are not
    there but may come included."""

    folder: Path
    name: str
    position: Position
    zone: ZoneInfo
    scan_every: timedelta
    systems: tuple[System, ...]
    links: tuple[Link, ...]
    points: Mapping[PointId, Point]
    equipment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    digest: str
    first_authority: Authority
    tariff: Tariff | None = None
    gas: Gas | None = None
    water: Water | None = None
    influx: InfluxDatabase | None = None
    forecasts: tuple[ForecastTarget, ...] = ()
    alarms: Alarming = Alarming()
    equipment_log: EquipmentLogging = field(default_factory=EquipmentLogging)
    fire: tuple[FireInput, ...] = ()
    contacts: tuple[Contact, ...] = ()
    out_of_service: Mapping[str, str] = field(default_factory=dict[str, str])
    has_free_running_clock: bool = False
    authority_files: bool = False
    start_gap: timedelta = timedelta(0)
    ab_days: ABDays | None = None
    terrain: Terrain | None = None
    lamp_messages: LampMessages | None = None
    reload: ReloadBy = "command"
    files: Mapping[Path, FileState] = field(default_factory=dict[Path, FileState], compare=False, repr=False)

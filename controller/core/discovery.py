"""What a scan of a link finds, told piece by piece as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from controller.core.text import Text


class FoundDevice(NamedTuple):
    """A device that answered.

    id: a proposal for its id, lower snake case, its own within one scan. connection, address: what devices.yaml says
    of the link and of the device. title: maker, model, what it calls itself.
    """

    id: str
    connection: Mapping[str, JsonValue]
    address: Mapping[str, JsonValue]
    title: str


class FoundPoint(NamedTuple):
    """A value of a device that was told before.

    name: a proposal for its quantity, lower snake case, its own within the device. unit: a key of DEVICE_UNITS, in
    which `address` gives the value. title: what the device calls it. value: what it holds now, as people read it.
    states: the texts of a value that is one of several.
    """

    device: str
    name: str
    kind: PointKind
    type: ValueType
    unit: str
    address: Mapping[str, JsonValue]
    title: str
    value: str
    states: tuple[str, ...] = ()


class NoAnswer(NamedTuple):
    """Something that was asked and gave nothing; the scan goes on."""

    what: str
    cause: str


Found: TypeAlias = FoundDevice | FoundPoint | NoAnswer


@dataclass(frozen=True, slots=True)
class ScanOption:
    """A choice that one protocol's scan has: `--name METAVAR`. A default of "" means that nothing was chosen."""

    name: str
    metavar: str
    summary: Text
    default: str = ""


class Discover(Protocol):
    def __call__(self, target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
        """What is out there, as it is found, in bounded time; every option has a value.

        Raises ValueError, saying what would be right, for a target or option that cannot be; DeviceError where
        nothing at all can be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scan:
    """How a protocol is scanned. target: what TARGET means, for the help. example: a whole TARGET with options."""

    target: Text
    example: str
    options: tuple[ScanOption, ...]
    discover: Discover

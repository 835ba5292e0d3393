"""The clock that every simulated device shows, so that a daemon can tell one run of a simulator from every other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from simulator.clock import ScaledClock
from simulator.gateway import Value
from simulator.tags import Tag

_PREFIX = "simulation_"
_TAGS: Mapping[str, Tag] = MappingProxyType(
    {
        "nonce": Tag("nonce", int),
        "time": Tag("time", int, "ms"),
        "speed": Tag("speed", float),
    }
)


def clock_tag(name: str) -> Tag | None:
    """The clock's quantity that a point shows: `simulation.<device>.nonce`, `.time`, `.speed`, or
    `<gateway>.simulation_nonce` and so on. None for a point of the site.
    """
    area, _, rest = name.partition(".")
    quantity = rest.rpartition(".")[2]
    if area == "simulation":
        return _TAGS.get(quantity)
    return _TAGS.get(quantity.removeprefix(_PREFIX)) if quantity.startswith(_PREFIX) else None


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """nonce: tells one run from every other. Of use in every process of this machine: all have the same real time."""

    clock: ScaledClock
    nonce: int

    def shown(self, tag: Tag) -> Value:
        """What a device shows of it. Raises KeyError for a tag that is none of the clock's."""
        match tag.name:
            case "nonce":
                return self.nonce
            case "time":
                return round(self.clock.now().timestamp() * 1000.0)
            case "speed":
                return self.clock.speed
            case other:
                raise KeyError(other)

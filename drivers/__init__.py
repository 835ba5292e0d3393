"""One folder a protocol; each driver holds one link with its devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from controller.core.errors import EnvironmentProblem
from controller.core.ports import DriverKind

# Name -> "module:kind", loaded when a site first uses it. A driver from another distribution comes in by an entry
# point of the group GROUP instead, spelt the same way.
DRIVERS: Mapping[str, str] = MappingProxyType(
    {
        "memory": "drivers.memory:KIND",
        "modbus": "drivers.modbus:KIND",
    }
)
GROUP = "tidewatt.drivers"


def driver_kind(name: str) -> DriverKind:
    """The protocol of that name. Raises LookupError, naming those that there are."""
    places = driver_places(entry_points(group=GROUP))
    if name not in places:
        raise LookupError(f"no driver is called {name!r}; there are {', '.join(sorted(places))}")
    module, _, attribute = places[name].partition(":")
    kind = getattr(import_module(module), attribute)
    if not isinstance(kind, DriverKind):
        raise EnvironmentProblem(f"driver {name!r}: {places[name]} is no DriverKind")
    return kind


def driver_places(installed: Iterable[EntryPoint]) -> Mapping[str, str]:
    """Built-in and installed drivers together. A name that is there twice stops the start."""
    places = dict(DRIVERS)
    for entry in installed:
        if entry.name in places:
            raise EnvironmentProblem(
                f"two drivers are called {entry.name!r}: {places[entry.name]} and {entry.value}; uninstall one of them"
            )
        places[entry.name] = entry.value
    return places

"""One folder a protocol; each driver holds one link with its devices."""

from __future__ import annotations

from controller.core.ports import DriverKind
from controller.core.registry import Registry

GROUP = "tidewatt.drivers"

DRIVERS = {
    "bacnet": "drivers.bacnet:KIND",
    "boptest": "drivers.boptest:KIND",
    "memory": "drivers.memory:KIND",
    "modbus": "drivers.modbus:KIND",
    "mqtt": "drivers.mqtt:KIND",
    "opcua": "drivers.opcua:KIND",
}

_REGISTRY = Registry("driver", DriverKind, DRIVERS, GROUP)


def driver_kind(name: str) -> DriverKind:
    """The protocol of that name. Raises LookupError, naming those that there are."""
    return _REGISTRY.kind(name)


def driver_names() -> list[str]:
    """All protocols. Raises EnvironmentProblem where two are of one name."""
    return sorted(_REGISTRY.places)

"""A fault as JSON data, for the simulator's control socket."""

from collections.abc import Container, Mapping
from math import inf, isfinite
from typing import Any

from simulator.faults.fault import Fault
from simulator.faults.kinds import KINDS


def as_data(fault: Fault) -> dict[str, Any]:
    """ends: None for a fault that lasts."""
    return {
        "kind": fault.kind,
        "target": fault.target,
        "begins": fault.begins,
        "ends": None if fault.ends == inf else fault.ends,
        "parameters": dict(fault.parameters),
        "points": [*fault.points],
    }


def fault_from(data: Mapping[str, Any], known_points: Container[str]) -> Fault:
    """known_points: those that the simulated building has. Raises ValueError for what is no fault. What it may be aimed
    at, and how, whoever sends it has checked.
    """
    try:
        kind, target, points = str(data["kind"]), str(data["target"]), tuple(map(str, data["points"]))
        begins, ends = float(data["begins"]), inf if data["ends"] is None else float(data["ends"])
        parameters: dict[str, Any] = dict(data["parameters"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this is no fault: {error!r}") from None
    known = KINDS.get(kind)
    if known is None or parameters.keys() - known.parameters.keys() or not isfinite(begins) or not begins < ends:
        raise ValueError(f"this is no fault: {kind} {parameters}")
    if not all(isinstance(value, bool | int | float | str) for value in parameters.values()):
        raise ValueError(f"these are no parameters: {parameters}")
    if not all(point in known_points for point in points):
        raise ValueError("the simulated site does not have all of these points")
    return Fault(kind, target, begins, ends, parameters, points)

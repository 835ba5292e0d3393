"""What is behind a BOPTEST server of ours: a test case, and a room that is one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

HOUR = 3600.0
DAY = 86400.0
FREEZING = 273.15


class Listed(NamedTuple):
    """What the case says of a signal."""

    unit: str | None
    low: float | None = None
    high: float | None = None


class Case(Protocol):
    name: str
    measurements: dict[str, Listed]
    inputs: dict[str, Listed]
    forecasts: dict[str, Listed]

    def begin(self) -> None: ...

    def step(self, time: float, seconds: float, told: Mapping[str, float]) -> None:
        """Live on from `time`; told: the inputs that are activated, clipped."""
        ...

    def value(self, name: str) -> float: ...

    def forecast(self, name: str, time: float) -> float: ...

    def kpis(self) -> dict[str, float | None]: ...


@dataclass
class Room:
    """One zone, a heat pump and its own thermostat: 21 degC by day, 15 degC by night (first order, 24 h)."""

    name: str = "one_room"
    measurements: dict[str, Listed] = field(
        default_factory=lambda: {
            "reaTZon_y": Listed("K"),
            "reaPHeaPum_y": Listed("W"),
            "weaSta_reaWeaTDryBul_y": Listed("K"),
        }
    )
    inputs: dict[str, Listed] = field(default_factory=lambda: {"oveTSet_u": Listed("K", 278.15, 308.15)})
    forecasts: dict[str, Listed] = field(default_factory=lambda: {"TDryBul": Listed("K"), "LowerSetp[1]": Listed("K")})
    temperature: float = 20.0
    power: float = 0.0
    setpoint: float = 15.0
    mean_outdoors: float = 5.0
    energy: float = 0.0
    discomfort: float = 0.0

    def begin(self) -> None:
        self.temperature, self.power, self.energy, self.discomfort = 20.0, 0.0, 0.0, 0.0

    def comfort(self, time: float) -> float:
        return 21.0 if 7.0 <= time % DAY / HOUR < 20.0 else 15.0

    def outdoor(self, time: float) -> float:
        return self.mean_outdoors - 5.0 * math.cos(2.0 * math.pi * time / DAY)

    def step(self, time: float, seconds: float, told: Mapping[str, float]) -> None:
        given = told.get("oveTSet_u")
        self.setpoint = self.comfort(time) if given is None else given - FREEZING
        self.power = min(max(4.0 * (self.setpoint - self.temperature), 0.0), 8.0)
        drift = (self.outdoor(time) - self.temperature + 8.0 * self.power) / (24.0 * HOUR)
        self.temperature += drift * seconds
        self.energy += self.power * seconds / HOUR
        self.discomfort += max(self.comfort(time) - self.temperature, 0.0) * seconds / HOUR

    def value(self, name: str) -> float:
        return {
            "reaTZon_y": self.temperature + FREEZING,
            "reaPHeaPum_y": 1000.0 * self.power,
            "weaSta_reaWeaTDryBul_y": self.mean_outdoors + FREEZING,
            "oveTSet_u": self.setpoint + FREEZING,
        }[name]

    def forecast(self, name: str, time: float) -> float:
        return FREEZING + (self.outdoor(time) if name == "TDryBul" else self.comfort(time))

    def kpis(self) -> dict[str, float | None]:
        return {"ener_tot": self.energy / 48.0, "tdis_tot": self.discomfort, "pgas_tot": None}

"""A site in steady hot weather, so that a test sees the machines and not the season."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from simulator.engine import Engine
from simulator.plant.zone import ROOM_ENTHALPY
from simulator.site import Site
from simulator.weather import HOURS_PER_YEAR, Outdoor, Weather

SHENZHEN = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="session")
def hot_weather() -> Weather:
    """32 degC, wet bulb 26 degC and half a sky of sun, all year."""
    hour = Outdoor(32.0, 0.62, 26.0, ROOM_ENTHALPY + 25.0, 300.0, 0.7)
    return Weather((hour,) * HOURS_PER_YEAR, "steady")


MakeEngine = Callable[..., Engine]


@pytest.fixture
def make_engine(hot_weather: Weather) -> MakeEngine:
    """An engine that starts at a local time of the demonstration site; a Monday by default."""

    def make(
        start: str = "2026-07-20T00:00:00", *, step_s: float = 1.0, seed: int = 0, site: Site | None = None
    ) -> Engine:
        at = datetime.fromisoformat(start).replace(tzinfo=SHENZHEN)
        return Engine(at, hot_weather, site=site, step_s=step_s, seed=seed)

    return make

"""The tower building on a clock, as servers of any protocol need it: a `ServedSite`. Nothing goes wrong with it."""

from collections.abc import Callable
from datetime import datetime

from simulator.demo_building import DemoBuilding
from simulator.faults.wire import WELL, Wire
from simulator.gateway import Value
from simulator.tags import Tag


class LiveBuilding:
    """now: simulated time, as a clock tells it; speed: simulated seconds per second."""

    def __init__(self, building: DemoBuilding, now: Callable[[], datetime], speed: float = 1.0) -> None:
        self._building, self._now, self._speed = building, now, speed
        self._known: dict[str, Callable[[], Value]] = {}

    @property
    def now(self) -> datetime:
        """Simulated time, aware UTC."""
        return self._now()

    @property
    def speed(self) -> float:
        return self._speed

    def tag(self, name: str) -> Tag:
        """Raises KeyError for a name that is no tag."""
        return self._building.tags[name]

    def refresh(self) -> None:
        """Let the building catch up with its clock."""
        self._building.advance(self._now())

    def read(self, name: str) -> Value | None:
        """The present value."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._building.reading(name)
        return known()

    def write(self, name: str, value: Value) -> None:
        """Raises ValueError for what the device refuses."""
        self._building.write(name, value)

    def release(self, name: str) -> None:
        """Nobody commands this any more: the old controls have it."""
        self._building.release(name)

    def wire(self, name: str) -> Wire:
        """Every device answers."""
        del name
        return WELL

    @property
    def has_reading_faults(self) -> bool:
        return False

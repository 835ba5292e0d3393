"""The demonstration's tower building, whole: high-rise and cooling plant by turns of ten seconds, with one set of tags.

The plant serves what it served at the end of its last step, the coils ask by the water that they got, so neither waits
for the other, and the plant adds exactly the heat that the coils gave, one step later.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.high_rise import high_rise_plant
from simulator.cooling_plant.points import Read as ReadPlant
from simulator.cooling_plant.points import points as plant_points
from simulator.cooling_plant.running import STEP_S, RunningPlant
from simulator.cooling_plant.signals import Controls as PlantControls
from simulator.gateway import Value
from simulator.high_rise import points as building_points
from simulator.high_rise.building import HighRise, Served
from simulator.high_rise.controls import Controls
from simulator.high_rise.model import HighRiseModel, Sunshine
from simulator.tags import Tag
from simulator.weather import Weather


class DemoBuilding:
    """Simulated time is aware UTC. high_rise, plant: both sides; the plant looks at commands at its next step, the
    high-rise at once. controls and plant_controls: of both sides' own, the old ones where none
    are given.
    """

    def __init__(
        self,
        start: datetime,
        weather: Weather,
        sun: Sunshine,
        *,
        model: HighRiseModel | None = None,
        plant: CoolingPlant | None = None,
        seed: int = 0,
        controls: Controls | None = None,
        plant_controls: PlantControls[Any] | None = None,
    ) -> None:
        if start.tzinfo is None:
            raise ValueError(f"start {start} has no time zone; expected an aware time")
        model, plant, begin = model or HighRiseModel(), plant or high_rise_plant(), start.timestamp()
        self.high_rise = HighRise(model, begin, weather, sun, seed=seed, controls=controls)
        self.plant = RunningPlant(plant, begin, weather, model.zone, controls=plant_controls)
        self._made_up = self.plant.state.basin.made_up
        self._find_points()

    def __getstate__(self) -> dict[str, object]:
        """How to read each tag is found anew by whoever goes on with this building."""
        return {name: value for name, value in self.__dict__.items() if name not in ("tags", "_of_plant")}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._find_points()

    def _find_points(self) -> None:
        found = plant_points(self.plant.plant)
        self._of_plant: Mapping[str, ReadPlant] = {name: read for name, (_, read) in found.items()}
        self.tags: Mapping[str, Tag] = MappingProxyType(
            {name: tag for name, (tag, _) in found.items()} | dict(building_points.TAGS)
        )

    @property
    def now(self) -> datetime:
        """Simulated time, aware UTC: the last step that was reached."""
        return datetime.fromtimestamp(self.plant.now, UTC)

    def advance(self, to: datetime) -> None:
        """Let the building run to the last step at or before `to`."""
        while self.plant.now + STEP_S <= to.timestamp():
            self._step()

    def read(self, tag: str) -> Value:
        """The present value. Raises KeyError for a name that is no tag."""
        return self.reading(tag)()

    def reading(self, tag: str) -> Callable[[], Value]:
        """How to read a tag again and again. Raises KeyError for a name that is no tag."""
        of_plant = self._of_plant.get(tag)
        if of_plant is not None:
            return lambda: of_plant(self.plant)
        of_building = building_points.READ[tag]
        return lambda: of_building(self.high_rise)

    def write(self, tag: str, value: Value) -> None:
        """Write a tag as the supervisor would. Raises KeyError for no tag, ValueError for what the device refuses."""
        self._command(tag, self.tags[tag].checked(value))

    def release(self, tag: str) -> None:
        """Let a tag go, to the old controls. Raises KeyError for no tag, ValueError for what is measured."""
        if not self.tags[tag].writable:
            raise ValueError(f"{tag} cannot be let go; it is measured")
        self._command(tag, None)

    def _command(self, tag: str, value: Value | None) -> None:
        if tag in self._of_plant:
            self.plant.command(tag, value)
        else:
            self.high_rise.command(tag, value)

    def _step(self) -> None:
        end = self.plant.now + STEP_S
        self.plant.advance(end, self.high_rise.demand)
        made_up = self.plant.state.basin.made_up
        make_up, self._made_up = (made_up - self._made_up) / STEP_S, made_up
        self.high_rise.advance(end, Served(self.plant.served, self.plant.power, make_up))

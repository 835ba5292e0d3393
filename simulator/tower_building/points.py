"""The tower building's points: those of its high-rise and its cooling plant, and what gateways, selectors and panels
add.

Every machine that can be commanded has a remote bit. Who has a selector shows it: lamps as `local`, all others as
`auto_status`.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from simulator.cooling_plant.commanded import TANK, numbered
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.high_rise import high_rise_plant
from simulator.cooling_plant.points import PUMPS, VALVES
from simulator.cooling_plant.points import points as plant_points
from simulator.faults.kinds import Aim, Targets, points_of
from simulator.high_rise import points as building_points
from simulator.high_rise.air_floors import storeys
from simulator.high_rise.names import BATTERY, DECKS, FACADE, GAS, HANDLERS, LIGHTS, OUTDOOR, WATER, ZONES
from simulator.kpi import Counted, Room
from simulator.lamp_account import CountedLamps
from simulator.tags import Tag
from simulator.tower_building.machines import HEARTBEAT, commands_of, has_selector

FIRE_ALARM_PANEL = "building.fire_alarm_panel_1"
FIRE_ALARM = f"{FIRE_ALARM_PANEL}.fire_alarm"
DAYLIGHT = "outdoor.daylight_sensor_1.illuminance"
LAMPS = (*DECKS, OUTDOOR, FACADE)
COIL_VALVES = tuple(f"{name}.cooling_valve_position" for name in HANDLERS)
"""Of the air handlers, in their order."""
_FANS = "cooling_tower"
_STORAGE = {f"{TANK}.charge_valve_position": 0, f"{TANK}.discharge_valve_position": 1}


def _rooms() -> Iterator[Room]:
    """Of the offices; those for computers have limits of their own."""
    floors = storeys()
    area = sum(floor.area for floor in floors)
    for floor, handler, zones in zip(floors, HANDLERS, ZONES, strict=True):
        for name, zone in zip(zones, floor.zones, strict=True):
            share = floor.count * zone.zone.floor / area
            yield Room(f"{name}.air_temperature", f"{handler}.supply_fan_status", share)


COUNTED = Counted(
    plant=("meter.cooling_plant_1.energy",),
    rooms=tuple(_rooms()),
    light=tuple(f"{deck}.illuminance" for deck in DECKS),
    chillers=tuple(f"{chiller}.status" for chiller in numbered("chiller", 3)),
    actuators=(
        *_STORAGE,
        *(f"{pump}.speed" for pump in numbered("secondary_pump", 3)),
        *(f"{tower}.fan_speed" for tower in numbered(_FANS, 3)),
    ),
    gas=f"{GAS}.volume",
    battery=f"{BATTERY}.content",
    water=f"{WATER}.volume",
    plant_water="meter.make_up_water_1.volume",
    lamps=CountedLamps(
        garage=tuple(f"{deck}.energy" for deck in DECKS),
        outdoors=(f"{OUTDOOR}.energy", f"{FACADE}.energy"),
        office=(f"{LIGHTS}.energy",),
        lit=f"{OUTDOOR}.status",
        sky=DAYLIGHT,
        desks=(),
    ),
)
"""What a comparison looks at; comfort while the air handlers run."""


def tags_of(plant: CoolingPlant) -> Mapping[str, Tag]:
    """Of a tower building with this cooling plant, by name."""
    machines = {name: tag for name, (tag, _) in plant_points(plant).items()} | dict(building_points.TAGS)
    return MappingProxyType(machines | {tag.name: tag for tag in _added(machines)})


def _added(machines: Mapping[str, Tag]) -> Iterator[Tag]:
    yield Tag(HEARTBEAT, int, writable=True, low=0, high=65535)
    for name, commands in commands_of(machines).items():
        yield Tag(f"{name}.remote", bool, writable=True)
        if has_selector(commands):
            yield Tag(f"{name}.{'local' if name in LAMPS else 'auto_status'}", bool)
    for name in HANDLERS:
        yield Tag(f"{name}.tripped", bool)
    yield Tag(FIRE_ALARM, bool)
    yield Tag(DAYLIGHT, float, "lx")


@cache
def tags() -> Mapping[str, Tag]:
    """Of the tower building as it stands."""
    return tags_of(high_rise_plant())


@cache
def targets() -> Targets:
    """What a fault may be aimed at there."""
    known = tags()
    tripping = tuple([name.removesuffix(".tripped") for name in known if name.endswith(".tripped")])
    selectors = [name.rpartition(".")[0] for name in known if name.endswith((".auto_status", ".local"))]
    return MappingProxyType(
        {
            **points_of(known),
            Aim.TRIPPING: tripping,
            Aim.SELECTOR: tuple(selectors),
            Aim.LAMPS: LAMPS,
            Aim.VALVE: (*[name for name in known if name.endswith(".position")], *_STORAGE, *COIL_VALVES),
            Aim.TANK: (TANK,),
            Aim.PANEL: (FIRE_ALARM_PANEL,),
        }
    )


def motor(machine: str) -> tuple[str, int]:
    """Where a pump or a tower's fan is among the plant's actuators: field and number."""
    kind, _, number = machine.removeprefix("plant.").rpartition("_")
    return "fans" if kind == _FANS else PUMPS[kind], int(number) - 1


def valve(position: str) -> tuple[str, int]:
    """Where a valve of the plant is among them, by the tag of its position."""
    if position in _STORAGE:
        return "storage", _STORAGE[position]
    kind, _, number = position.removeprefix("plant.").removesuffix(".position").rpartition("_")
    return VALVES[kind], int(number) - 1

"""The high-rise's air side: rooms, boxes, ducts, air handlers and their coils, storey by storey.

One storey of each kind is stepped and counts as often as there are storeys alike. Rates are held over a step; rooms
move by exactly those rates, so that heat, moisture and carbon dioxide close. Water comes as the plant served it last.
"""

from collections.abc import Sequence
from math import sqrt
from operator import mul
from typing import NamedTuple

from simulator.chilled_water import CoilDemand, WaterSupply
from simulator.high_rise.air_controls import LEAST_SPEED, FloorCommands, box_flow, valve_target
from simulator.high_rise.air_floors import Floor
from simulator.high_rise.air_rooms import VAPOUR_HEAT, Around, Moisture, Terms, rooms_after, with_handler
from simulator.plant import rc_zone, valve
from simulator.plant.air_handler import AirHandlerInput, AirHandlerOutput, filter_resistance, filter_step, handle, mix
from simulator.plant.occupancy import LIGHTING_DENSITY, PLUG_DENSITY, Use
from simulator.plant.rc_zone import Stream, ZoneState

OUTDOOR_CO2 = 420.0  # [ppm]
_STILL_VALVE, _STILL_ROOM = 0.01, 0.1
"""Changes in a step [0..1; K] up to which the air side counts as settled."""
_ASKS_FOR_MORE = 0.95
"""Position from which a valve counts as asking for colder water or more pressure."""


class AirSideInput(NamedTuple):
    """around the building; water as it was served last; commands to each kind of storey."""

    around: Around
    water: WaterSupply
    commands: Sequence[FloorCommands]


class FloorState(NamedTuple):
    """zones; openings of their boxes [0..1]; valve position of the coil [0..1]; loading of the filter."""

    zones: tuple[ZoneState, ...]
    openings: tuple[float, ...]
    valve: float = 0.0
    loading: float = 0.3


class FloorOutput(NamedTuple):
    """Of one storey: returning air; handler: None at rest; fan_speed [0..1]; duct_pressure [kPa]; electric [kW];
    water_flow [kg/s]; conductance that its valve leaves [kg/(s kPa^0.5)]; terms and moisture of this one storey.
    """

    returning: Stream
    handler: AirHandlerOutput | None
    fan_speed: float
    duct_pressure: float
    electric: float
    water_flow: float
    conductance: float
    terms: Terms
    moisture: Moisture


class AirSideOutput(NamedTuple):
    """floors; demand on the chilled water; of all storeys: electric power of the fans, lights and plugs [kW], terms and
    moisture.
    """

    floors: tuple[FloorOutput, ...]
    demand: CoilDemand
    fans: float
    lights: float
    plugs: float
    terms: Terms
    moisture: Moisture


def resting(floors: Sequence[Floor], temperature: float = 27.0) -> tuple[FloorState, ...]:
    """All storeys at one temperature [degC], their air handlers off."""
    return tuple(
        FloorState((ZoneState(temperature, temperature, 0.012),) * len(floor.zones), (0.0,) * len(floor.zones))
        for floor in floors
    )


def step(
    floors: Sequence[Floor], states: Sequence[FloorState], seen: AirSideInput, dt: float
) -> tuple[tuple[FloorState, ...], AirSideOutput]:
    """All storeys after dt [s]. Steps of two minutes or so while things move, of five where they stand still. Kinds
    that are alike and told the same, as the low and the middle ones mostly are, do the same.
    """
    asked = sum([floor.count * _conductance(floor, state.valve) for floor, state in zip(floors, states, strict=True)])
    per_conductance = seen.water.flow / asked if asked > 0.0 else 0.0
    after: list[FloorState] = []
    outputs: list[FloorOutput] = []
    before: tuple[Floor, FloorState, FloorCommands] | None = None
    for floor, state, commands in zip(floors, states, seen.commands, strict=True):
        alike = before is not None and before[1:] == (state, commands) and floor.is_like(before[0])
        done = (after[-1], outputs[-1]) if alike else _floor_step(floor, state, seen, commands, per_conductance, dt)
        after.append(done[0])
        outputs.append(done[1])
        before = floor, state, commands
    return tuple(after), _all(floors, after, outputs, seen.around.use)


def is_settled(before: Sequence[FloorState], after: Sequence[FloorState]) -> bool:
    """Whether rooms and valves stand still, so that a longer step changes nothing."""
    for sooner, later in zip(before, after, strict=True):
        if abs(later.valve - sooner.valve) > _STILL_VALVE:
            return False
        for was, is_now in zip(sooner.zones, later.zones, strict=True):
            if abs(is_now.air - was.air) > _STILL_ROOM:
                return False
    return True


def stored(floors: Sequence[Floor], states: Sequence[FloorState]) -> tuple[float, float]:
    """Heat [kJ] above 0 degC in rooms and their moisture, and that moisture [kg]."""
    heat = moisture = 0.0
    for floor, state in zip(floors, states, strict=True):
        for each, zone in zip(floor.zones, state.zones, strict=True):
            held = each.zone.air_mass * zone.humidity_ratio
            heat += floor.count * (rc_zone.stored(each.zone, zone) + held * VAPOUR_HEAT)
            moisture += floor.count * held
    return heat, moisture


def _floor_step(
    floor: Floor, state: FloorState, seen: AirSideInput, commands: FloorCommands, per_conductance: float, dt: float
) -> tuple[FloorState, FloorOutput]:
    if not commands.fan:
        return _resting(floor, state, seen, commands, dt)
    conductance = _conductance(floor, state.valve)
    wanted = [
        box_flow(zone.air, setpoint, each.least_flow, each.design_flow)
        for each, zone, setpoint in zip(floor.zones, state.zones, commands.room, strict=True)
    ]
    speed, openings, duct = _duct(floor, state.loading, wanted, commands)
    weights = [each.design_flow * opening for each, opening in zip(floor.zones, openings, strict=True)]
    returning = _returning(weights, state.zones)
    water_flow = per_conductance * conductance
    handled = handle(
        floor.handler,
        AirHandlerInput(
            seen.around.outdoor,
            returning,
            commands.outdoor_damper,
            speed,
            duct,
            0.0,
            state.loading,
            water_flow,
            seen.water.temperature,
        ),
    )
    flow = handled.supply.flow
    per_weight = flow / sum(weights)
    flows = [weight * per_weight for weight in weights]
    rooms = rooms_after(floor.zones, state.zones, seen.around, flows, handled.supply, dt)
    target = valve_target(state.valve, handled.supply.temperature, commands.supply_air, dt)
    position = state.valve if commands.valve_stuck else valve.step(floor.valve, state.valve, target, dt)
    after = FloorState(rooms.states, openings, position, filter_step(floor.handler.filter, state.loading, flow, dt))
    terms, moisture = with_handler(rooms, seen.around.outdoor, returning, handled)
    return after, FloorOutput(
        returning,
        handled,
        speed,
        duct * flow * flow,
        handled.fan.electric,
        water_flow,
        conductance,
        terms,
        moisture,
    )


def _resting(
    floor: Floor, state: FloorState, seen: AirSideInput, commands: FloorCommands, dt: float
) -> tuple[FloorState, FloorOutput]:
    """Its fan stands, and its valve shuts."""
    nothing = (0.0,) * len(floor.zones)
    rooms = rooms_after(floor.zones, state.zones, seen.around, nothing, None, dt)
    position = state.valve if commands.valve_stuck else valve.step(floor.valve, state.valve, 0.0, dt)
    returning = _returning([each.design_flow for each in floor.zones], state.zones)
    conductance = _conductance(floor, state.valve)
    output = FloorOutput(returning, None, 0.0, 0.0, 0.0, 0.0, conductance, rooms.terms, rooms.moisture)
    return FloorState(rooms.states, nothing, position, state.loading), output


def _duct(
    floor: Floor, loading: float, wanted: Sequence[float], commands: FloorCommands
) -> tuple[float, tuple[float, ...], float]:
    """Fan speed [0..1], openings of the boxes [0..1] and k of the duct behind them [kPa/(kg/s)^2].

    The pressure loop finds the speed that holds its setpoint at the flow that the boxes want; each box opens as far as
    that flow and pressure need, so that flows do not depend on the pressure until a box is open wide.

    """
    fan, flow = floor.handler.fan, sum(wanted)
    inside = fan.h2 + floor.handler.coil_resistance + filter_resistance(floor.handler.filter, loading)
    before_boxes = inside * flow * flow
    speed = commands.fan_speed
    if speed is None:
        speed = sqrt((before_boxes + commands.duct_pressure) / fan.h0)
    speed = min(1.0, max(LEAST_SPEED, speed))
    pressure = max(1e-3, speed * speed * fan.h0 - before_boxes)
    full = sqrt(floor.box_pressure / pressure)
    openings = tuple([min(1.0, each / zone.design_flow * full) for each, zone in zip(wanted, floor.zones, strict=True)])
    passing = sum([opening * zone.design_flow for opening, zone in zip(openings, floor.zones, strict=True)])
    return speed, openings, floor.box_pressure / (passing * passing)


def _returning(weights: Sequence[float], zones: Sequence[ZoneState]) -> Stream:
    """Air of the rooms as it comes back, by the weight of what each is supplied."""
    return mix(
        [Stream(weight, zone.air, zone.humidity_ratio, zone.co2) for weight, zone in zip(weights, zones, strict=True)]
    )


def _conductance(floor: Floor, position: float) -> float:
    """Of a storey's coil with its valve [kg/(s kPa^0.5)]."""
    of_valve = valve.conductance(floor.valve, position)
    return of_valve * floor.branch / sqrt(of_valve * of_valve + floor.branch * floor.branch)


def _all(
    floors: Sequence[Floor], states: Sequence[FloorState], outputs: Sequence[FloorOutput], use: Use
) -> AirSideOutput:
    counts = [floor.count for floor in floors]
    conductance, fans, requests, area = 0.0, 0.0, 0.0, 0.0
    for floor, state, output in zip(floors, states, outputs, strict=True):
        conductance += floor.count * _conductance(floor, state.valve)
        fans += floor.count * output.electric
        requests += floor.count * (output.handler is not None and state.valve > _ASKS_FOR_MORE)
        area += floor.area
    terms = Terms(*_summed(counts, [output.terms for output in outputs]))
    moisture = Moisture(*_summed(counts, [output.moisture for output in outputs]))
    calls = any(output.handler is not None for output in outputs)
    demand = CoilDemand(conductance, -terms.coils, round(requests), calls)
    lights, plugs = area * LIGHTING_DENSITY * use.lights, area * PLUG_DENSITY * use.plugs
    return AirSideOutput(tuple(outputs), demand, fans, lights, plugs, terms, moisture)


def _summed(counts: Sequence[float], rows: Sequence[tuple[float, ...]]) -> list[float]:
    return [sum(map(mul, counts, column)) for column in zip(*rows, strict=True)]

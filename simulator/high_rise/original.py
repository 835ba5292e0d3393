"""The high-rise's old controls: timers and fixed values, as found in office towers before a supervisory controller.

They are frozen: every saving is told against them. What the boxes, valves and fans do by themselves is not here but in
air_controls.py, what shares the chargers' feeder in electric_side.py: those stay whoever sets their setpoints.

References
----------
[1] U.S. Department of Energy, Commercial Prototype Building Models, Large Office: 12.8 to 14 degC of supply air, kept;
    hours of the air handlers as in plant/occupancy.py; 24 degC in the rooms.
[2] ASHRAE Standard 90.1-2019, 6.5.3.2.2: a fixed setpoint of up to 1.2 in. of water (0.30 kPa) where boxes do not tell
    their dampers; older systems 1.5 in. (0.375 kPa).
[3] GB 50736-2012, table 3.0.6-1: 30 m3 of outdoor air an hour for each person in offices. A damper that is set once
    gives it at the design flow, and less when the boxes throttle.
[4] ASHRAE, "Thermal Guidelines for Data Processing Environments" (2015), and GB 50174-2017, annex A: computers bear 18
    to 27 degC; found are both units on, at a temperature that people need.
[5] GB 50015-2019 (water supply): hot water leaves its heater at 55 to 60 degC, in hospitals at 60 to 65, where nothing
    else keeps legionella away; old houses keep 65.
[6] JGJ/T 163-2008 (night lighting in cities) knows a curfew: façades are lit from nightfall on and go dark at night.
"""

from simulator.civil import LocalTime
from simulator.high_rise.air_controls import FloorCommands, Reset
from simulator.high_rise.air_floors import Floor
from simulator.high_rise.air_side import FloorState
from simulator.high_rise.computer_rooms import UnitCommands
from simulator.high_rise.hot_water import HotWaterCommands
from simulator.high_rise.lighting import FixedClock, LightingCommands, LightingModel
from simulator.plant.occupancy import building_use

BATTERY_IN_RESERVE = 0.0
"""What is wanted of the battery [kW]: kept full for a failure of the mains, it is otherwise left alone."""
BOTH_UNITS = (UnitCommands(True, on_above=23.0, off_below=21.0),) * 2
DAY_AND_NIGHT = HotWaterCommands(True, 65.0)
_SUPPLY_AIR, _DUCT_PRESSURE, _OUTDOOR_DAMPER, _ROOM = 14.0, 0.375, 0.10, 24.0


class Original:
    """clock: of the outdoor lamps, the shortest that is never late in the year."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock

    def air(
        self, reset: Reset, floor: Floor, state: FloorState, local: LocalTime, dt: float
    ) -> tuple[Reset, FloorCommands]:
        """A timer, 14 degC [1], 0.375 kPa [2], a damper set once [3] and 24 degC in all rooms [1], day and night."""
        del state, dt
        fan = building_use(local.weekday, int(local.second // 3600.0)).air_handlers
        room = (_ROOM,) * len(floor.zones)
        return reset, FloorCommands(fan, _SUPPLY_AIR, _DUCT_PRESSURE, _OUTDOOR_DAMPER, room)

    def units(self) -> tuple[UnitCommands, ...]:
        """Of a computer room: both run [4]."""
        return BOTH_UNITS

    def boiler(self, local: LocalTime) -> HotWaterCommands:
        """Day and night, all year [5]."""
        del local
        return DAY_AND_NIGHT

    def lamps(self, model: LightingModel, local: LocalTime, *, dark: bool) -> LightingCommands:
        """Decks fully lit; outdoor lamps by the fixed clock; the façade from then to its hour [6]."""
        del dark
        facade = self._clock._replace(off=model.facade_off)
        lit = (1.0,) * len(model.decks)
        return LightingCommands(lit, self._clock.is_on(local.second), facade.is_on(local.second))

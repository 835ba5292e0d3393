"""Names of the high-rise's equipment, as its point ids begin."""

from simulator.high_rise.air_floors import FACADES

_KINDS, _ZONES = 3, 1 + len(FACADES)

HANDLERS = tuple(f"air.air_handler_{number}" for number in range(1, _KINDS + 1))
"""One for each kind of storey: low, middle, high."""
ZONES = tuple(tuple(f"air.zone_{kind * _ZONES + number}" for number in range(1, _ZONES + 1)) for kind in range(_KINDS))
"""Of each kind of storey: core, then by façade."""
LIGHTS, PLUGS = "building.lighting_1", "building.plug_loads_1"
ROOMS = ("computer_room.zone_1", "computer_room.zone_2")
COMPUTERS = ("computer_room.computers_1", "computer_room.computers_2")
UNITS = tuple(f"computer_room.split_unit_{number}" for number in range(1, 5))
"""Two of each room, one behind the other."""
PHOTOVOLTAICS, BATTERY = "electric.photovoltaics_1", "electric.battery_1"
CHARGERS = tuple(f"electric.charger_{number}" for number in range(1, 9))
BOILER, STORE = "hot_water.boiler_1", "hot_water.tank_1"
DECKS = tuple(f"garage.group_{number}" for number in range(1, 4))
OUTDOOR, FACADE = "outdoor.lighting_1", "outdoor.facade_1"
MAIN, GAS, WATER, COLD = "meter.main_1", "meter.gas_1", "meter.water_1", "meter.cooling_1"
WEATHER_STATION = "site.weather_station_1"

"""The demonstration site: sizes of its machines and where it stands.

An office of 8000 m2 with one centrifugal chiller of 600 kW, a stratified chilled-water tank of 400 m3 that had been
retired, a garage of 534 lamps on three levels, an outdoor circuit, a lit façade, and an office floor of 1000 m2 whose
lamps are on circuits of their own. Sizes were chosen to fit one another, after no real building.
"""

from dataclasses import dataclass, field, replace
from datetime import tzinfo
from zoneinfo import ZoneInfo

from simulator.plant.chiller import ChillerModel, generic_centrifugal
from simulator.plant.coil import CoilModel
from simulator.plant.desk_daylight import SideLitRoom
from simulator.plant.lamps import LampGroupModel
from simulator.plant.pump import PumpModel
from simulator.plant.tank import Diffuser, TankModel
from simulator.plant.tower import TowerModel
from simulator.plant.traffic import TrafficModel
from simulator.plant.zone import ZoneModel


def _shenzhen_zone() -> tzinfo:
    return ZoneInfo("Asia/Shanghai")


# Pump powers: flow times head over density and an efficiency of 0.65 of pump, motor and drive; 180, 220 and 250 kPa.
_CHILLED_WATER_PUMP = PumpModel(flow=24.0, power=6.6, minimum_speed=0.4, motor_efficiency=0.93, travel=0.1)
_CONDENSER_WATER_PUMP = PumpModel(flow=34.0, power=11.5, minimum_speed=1.0, motor_efficiency=0.93, travel=0.2)
_SECONDARY_PUMP = PumpModel(flow=24.0, power=9.2, minimum_speed=0.1, motor_efficiency=0.93, travel=0.1)
_CHILLER = replace(
    generic_centrifugal(600.0),
    evaporator_flow=_CHILLED_WATER_PUMP.flow,
    condenser_flow=_CONDENSER_WATER_PUMP.flow,
)
_TOWER = TowerModel(air_flow=24.0, fan_power=9.0)
# Short slots for its flow, as old tanks have them: chosen so that a full cycle gives back 0.8 to 0.9 of the ideal.
_TANK = TankModel(volume=400.0, height=9.0, u_value=0.3e-3, layers=20, diffuser=Diffuser(5.0, 0.15, 2.5))
_COIL = CoilModel(effectiveness=0.35, air_temperature=24.5, flow=24.0, least_flow=2.4)


@dataclass(frozen=True, slots=True)
class PlantModel:
    """header_mass: water in the supply and in the return header with their risers [kg]; header_conductance: of each to
    its surroundings [kW/K]; basin_mass: water of the condenser circuit [kg]; valve_travel_s: full stroke of the tank's
    valves; proof_flow: share of the full flow at which a chiller's flow switch closes [0..1]; design_return: water
    temperature at which the tank counts as empty [degC]; initial_tank: water left in the retired tank [degC].
    """

    chiller: ChillerModel = _CHILLER
    chilled_water_pump: PumpModel = _CHILLED_WATER_PUMP
    condenser_water_pump: PumpModel = _CONDENSER_WATER_PUMP
    secondary_pump: PumpModel = _SECONDARY_PUMP
    tower: TowerModel = _TOWER
    tank: TankModel = _TANK
    coil: CoilModel = _COIL
    header_mass: float = 3000.0
    header_conductance: float = 0.08
    basin_mass: float = 6000.0
    valve_travel_s: float = 30.0
    proof_flow: float = 0.35
    design_return: float = 13.0
    initial_tank: float = 13.0


OFFICE = ZoneModel(
    floor_area=8000.0,
    conductance=7.8,
    solar_aperture=175.0,
    heat_capacity=165.0 * 8000.0,
    setpoint=24.0,
    proportional_band=2.0,
    sensible_capacity=480.0,
)

# Ramp and entrance, main deck, lower deck.
# 140 lx at full brightness, as new lamps give it: a quarter of it keeps the 30 lx of a parking deck.
GARAGE = (
    (LampGroupModel(90, 0.018, 0.0006, 140.0, 0.5), TrafficModel(share=1.0, hold_s=25.0)),
    (LampGroupModel(210, 0.018, 0.0006, 140.0, 0.5), TrafficModel(share=0.6, hold_s=40.0)),
    (LampGroupModel(150, 0.018, 0.0006, 140.0, 0.5), TrafficModel(share=0.4, hold_s=60.0)),
)
# The bays with chargers on the lower deck and the stairs to the lifts: tubes with a sensor in each.
SENSOR_LAMPS = (
    (LampGroupModel(60, 0.018, 0.0006, 140.0, 0.5), TrafficModel(share=0.15, hold_s=0.0)),
    (LampGroupModel(24, 0.018, 0.0006, 140.0, 0.5), TrafficModel(share=0.5, hold_s=0.0)),
)
CYCLE_ROOM = (0.4, TrafficModel(share=0.08, hold_s=60.0))


@dataclass(frozen=True, slots=True)
class LitOffice:
    """rows: their distances from the window [m]; lamps: of each row, with the light that they give its desks."""

    room: SideLitRoom = field(default_factory=SideLitRoom)
    rows: tuple[float, ...] = (1.5, 4.0, 6.5)
    lamps: LampGroupModel = field(default_factory=lambda: LampGroupModel(64, 0.036, 0.0006, 500.0, 1.0))


@dataclass(frozen=True, slots=True)
class Site:
    """latitude [deg north], longitude [deg east]; cycle_room: power of its lamps [kW] and who comes; outdoor_power,
    facade_power: of their lamps [kW]; watchdogs in wire seconds.
    """

    latitude: float = 22.54
    longitude: float = 114.06
    zone: tzinfo = field(default_factory=_shenzhen_zone)
    plant: PlantModel = field(default_factory=PlantModel)
    office: ZoneModel = OFFICE
    garage: tuple[tuple[LampGroupModel, TrafficModel], ...] = GARAGE
    sensor_lamps: tuple[tuple[LampGroupModel, TrafficModel], ...] = SENSOR_LAMPS
    cycle_room: tuple[float, TrafficModel] = CYCLE_ROOM
    lit_office: LitOffice = field(default_factory=LitOffice)
    outdoor_power: float = 6.0
    facade_power: float = 4.0
    plant_watchdog_s: float = 60.0
    lighting_timeout_s: float = 60.0

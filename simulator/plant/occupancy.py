"""When a large office is used: people, lights, plug loads and hours of its air handlers.

Source: U.S. Department of Energy, Commercial Prototype Building Models, Large Office, ASHRAE 90.1-2019 (PNNL; model
ASHRAE901_OfficeLarge_STD2019), schedules BLDG_OCC_SCH_wo_SB, BLDG_LIGHT_SCH, BLDG_EQUIP_SCH and HVACOperationSchd,
rounded to 0.001; occupancy goes back to the ASHRAE 90.1 User's Manual, appendix G. Densities from the same model: 18.58
m2 a person, lighting 6.889 W/m2, plug loads 8.07 W/m2 (0.75 W/ft2).
"""

from typing import NamedTuple

AREA_PER_PERSON = 18.58  # [m2]
LIGHTING_DENSITY = 6.889e-3  # [kW/m2]
PLUG_DENSITY = 8.07e-3  # [kW/m2]

_Blocks = tuple[tuple[int, float], ...]  # (until hour, value)

_PEOPLE: tuple[_Blocks, _Blocks, _Blocks] = (
    (
        *((6, 0.0), (7, 0.1), (8, 0.2), (10, 0.95), (11, 0.993), (12, 0.95), (13, 0.523), (14, 0.95)),
        *((15, 0.993), (17, 0.95), (18, 0.3), (22, 0.1), (24, 0.05)),
    ),
    (
        (6, 0.0),
        (8, 0.1),
        (10, 0.3),
        (11, 0.314),
        (12, 0.3),
        (13, 0.105),
        (14, 0.1),
        (15, 0.105),
        (17, 0.1),
        (19, 0.05),
        (24, 0.0),
    ),
    ((6, 0.0), (18, 0.05), (24, 0.0)),
)
_LIGHTS: tuple[_Blocks, _Blocks, _Blocks] = (
    (
        *((5, 0.05), (6, 0.1), (7, 0.091), (8, 0.272), (17, 0.815), (18, 0.453), (20, 0.272), (22, 0.181)),
        *((23, 0.091), (24, 0.045)),
    ),
    ((6, 0.05), (8, 0.091), (12, 0.272), (17, 0.136), (19, 0.045), (24, 0.05)),
    ((6, 0.05), (18, 0.045), (24, 0.05)),
)
_PLUGS: tuple[_Blocks, _Blocks, _Blocks] = (
    ((6, 0.295), (8, 0.38), (12, 0.854), (13, 0.759), (17, 0.854), (18, 0.475), (24, 0.38)),
    ((6, 0.221), (8, 0.38), (12, 0.475), (17, 0.332), (19, 0.285), (24, 0.221)),
    ((6, 0.221), (18, 0.285), (24, 0.221)),
)
_AIR_HANDLERS: tuple[_Blocks, _Blocks, _Blocks] = (
    ((6, 0.0), (22, 1.0), (24, 0.0)),
    ((6, 0.0), (18, 1.0), (24, 0.0)),
    ((24, 0.0),),
)


class Use(NamedTuple):
    """Shares of their design values [0..1] for people, lights and plugs; air_handlers: whether they run."""

    people: float
    lights: float
    plugs: float
    air_handlers: bool


def _hourly(blocks: _Blocks) -> tuple[float, ...]:
    return tuple(next(value for until, value in blocks if hour < until) for hour in range(24))


_USE = tuple(
    tuple(
        Use(people, lights, plugs, handlers > 0.0)
        for people, lights, plugs, handlers in zip(
            _hourly(_PEOPLE[kind]),
            _hourly(_LIGHTS[kind]),
            _hourly(_PLUGS[kind]),
            _hourly(_AIR_HANDLERS[kind]),
            strict=True,
        )
    )
    for kind in range(3)
)


def building_use(weekday: int, hour: int) -> Use:
    """Use of the building in an hour [0..23] of a weekday (0 = Monday): Monday to Friday, Saturday, Sunday differ."""
    return _USE[0 if weekday < 5 else weekday - 4][hour]

"""The seam between a cooling plant and the building that it cools: what the coils ask, and what they are served.

Both sides step by turns and each sees what the other did in the step before: the coils find their heat with the water
that was served last, the plant adds exactly this heat to its water. So neither side needs to know how the other works,
and no heat is lost between them.
"""

from typing import NamedTuple


class CoilDemand(NamedTuple):
    """What all coils of the building ask, as their valves stand.

    conductance: of all their branches between the ends of the mains [kg/(s kPa^0.5)], 0 with every valve shut; heat:
    that the coils give to the water [kW], found with the flow and temperature of the last `WaterSupply`, negative
    where the water is the warmer; requests: coils that ask for colder water or more pressure (valve nearly open, air
    too warm), as trim and respond counts them; calls: whether anybody wants chilled water.
    """

    conductance: float
    heat: float
    requests: int
    calls: bool


class WaterSupply(NamedTuple):
    """What the plant serves at the ends of its mains: flow through all coils [kg/s], of which each has its share by the
    conductance of its branch; temperature entering them [degC]; pressure across their branches [kPa].
    """

    flow: float
    temperature: float
    pressure: float


NOBODY = CoilDemand(0.0, 0.0, 0, False)
"""All valves shut, nobody calls."""

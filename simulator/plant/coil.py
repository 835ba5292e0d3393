"""The building's cooling coils with their two-way valves and secondary pump.

References
----------
[1] F. P. Incropera et al., "Fundamentals of Heat and Mass Transfer", chapter 11.4: effectiveness, Q = e m cp (T_air -
    T_water).
[2] S. T. Taylor, "Degrading chilled water plant delta-T: causes and mitigation", ASHRAE Transactions 108(1), 2002:
    measured plants do not gain temperature difference at part load as clean coils would.
"""

from dataclasses import dataclass

from controller.core.physics import WATER_SPECIFIC_HEAT


@dataclass(frozen=True, slots=True)
class CoilModel:
    """effectiveness: of all coils together [0..1]; air_temperature: mean air entering them [degC]; flow: most [kg/s];
    least_flow: through bypass coils and end-of-line three-way valves [kg/s].
    """

    effectiveness: float
    air_temperature: float
    flow: float
    least_flow: float


def capability(model: CoilModel, flow: float, supply: float) -> float:
    """Most heat [kW] that the coils take up with a flow [kg/s] at a supply temperature [degC].

    Equation [1]: Q = e m cp (T_air - T_supply), with the design effectiveness at every flow [2]. Negative where the
    water is warmer than the air.
    """
    return model.effectiveness * flow * WATER_SPECIFIC_HEAT * (model.air_temperature - supply)


def wanted_flow(model: CoilModel, demand: float, supply: float) -> float:
    """Flow [kg/s] that the valves ask for to meet a demand [kW] with water at a supply temperature [degC]; at most the
    pump's.
    """
    if demand <= 0.0:
        return model.least_flow
    per_flow = capability(model, 1.0, supply)
    if per_flow * model.flow <= demand:
        return model.flow
    return max(model.least_flow, demand / per_flow)

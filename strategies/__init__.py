"""One file a strategy: pure functions of what is seen and what is remembered."""

from __future__ import annotations

from controller.core.registry import Registry
from controller.core.strategy import StrategyKind

GROUP = "tidewatt.strategies"

STRATEGIES = {
    "chilled_water_storage": "strategies.chilled_water_storage:KIND",
    "daylight_lighting": "strategies.daylight_lighting:KIND",
    "sunset_lighting": "strategies.sunset_lighting:KIND",
    "tidal_lighting": "strategies.tidal_lighting:KIND",
    "zone_setback": "strategies.zone_setback:KIND",
}

_REGISTRY = Registry("strategy", StrategyKind, STRATEGIES, GROUP)


def strategy_kind(name: str) -> StrategyKind:
    """The strategy of that name. Raises LookupError, naming those that there are."""
    return _REGISTRY.kind(name)

"""One file a strategy: pure functions of what is seen and what is remembered.

Built-in strategies stand in a table, so that a fresh checkout works without installing it again. Other distributions
add theirs through the entry-point group `tidewatt.strategies`, as `name = "their_package.module:KIND"`. A strategy's
module is loaded when a site asks for it, so that what one strategy needs does not hurt the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module, metadata
from types import MappingProxyType

from controller.core.errors import EnvironmentProblem
from controller.core.strategy import StrategyKind

GROUP = "tidewatt.strategies"

STRATEGIES: Mapping[str, str] = MappingProxyType(
    {
        "sunset_lighting": "strategies.sunset_lighting:KIND",
        "tidal_lighting": "strategies.tidal_lighting:KIND",
    }
)


def merged(built_in: Mapping[str, str], others: Iterable[metadata.EntryPoint]) -> Mapping[str, str]:
    """One registry of all; a name that appears twice stops the start, because nobody could tell which one acts."""
    places = dict(built_in)
    for entry in others:
        if entry.name in places:
            raise EnvironmentProblem(
                f"two strategies are called {entry.name}: {places[entry.name]} and {entry.value}; "
                "remove the package that brings one of them"
            )
        places[entry.name] = entry.value
    return MappingProxyType(places)


@cache
def strategies() -> Mapping[str, str]:
    """Every strategy of this installation, its name -> "module:KIND"."""
    return merged(STRATEGIES, metadata.entry_points(group=GROUP))


def strategy_kind(name: str) -> StrategyKind:
    """The strategy of that name, its module loaded. Raises LookupError for a name that nobody registered."""
    places = strategies()
    if name not in places:
        raise LookupError(f"there is no strategy {name}; there are {', '.join(sorted(places))}")
    return load(name, places[name])


def load(name: str, place: str) -> StrategyKind:
    """The StrategyKind at "module:KIND". Raises EnvironmentProblem where there is none of that name."""
    module, _, attribute = place.partition(":")
    try:
        kind = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise EnvironmentProblem(f"strategy {name} cannot be loaded from {place}: {error}") from error
    if not isinstance(kind, StrategyKind) or kind.name != name:
        raise EnvironmentProblem(f"strategy {name}: {place} is no StrategyKind of that name")
    return kind

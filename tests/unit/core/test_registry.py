"""Kinds by name: built in, added by other distributions, never two of one name."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from controller.core.errors import EnvironmentProblem
from controller.core.registry import Registry
from controller.core.strategy import StrategyKind

BUILT_IN = {"tidal_lighting": "strategies.tidal_lighting:KIND"}


def registry(*entries: tuple[str, str]) -> Registry[StrategyKind]:
    installed = [EntryPoint(name, value, "group") for name, value in entries]
    return Registry("strategy", StrategyKind, BUILT_IN, "group", installed)


def test_a_built_in_kind_is_there_under_its_name() -> None:
    assert registry().kind("tidal_lighting").name == "tidal_lighting"


def test_another_distribution_adds_one() -> None:
    assert registry(("blueprint", "strategies._blueprint:KIND")).kind("blueprint").name == "blueprint"


def test_an_unknown_name_is_told_with_those_that_exist() -> None:
    with pytest.raises(LookupError, match=r"there is no strategy tidal_lightning; there are tidal_lighting"):
        registry().kind("tidal_lightning")


@pytest.mark.parametrize(
    "entries", [[("tidal_lighting", "one:KIND")], [("mine", "one:KIND"), ("mine", "two:KIND")]], ids=["ours", "theirs"]
)
def test_a_name_that_is_there_twice_stops_the_start(entries: list[tuple[str, str]]) -> None:
    with pytest.raises(EnvironmentProblem, match=r"two of the strategy kind are called (tidal_lighting|mine)"):
        registry(*entries).kind("tidal_lighting")


@pytest.mark.parametrize(
    "place, words",
    [
        ("nowhere_at_all:KIND", "cannot be loaded"),
        ("strategies._blueprint:GONE", "cannot be loaded"),
        ("strategies._blueprint:Parameters", "is no StrategyKind of that name"),
        ("strategies._blueprint:KIND", "is no StrategyKind of that name"),
    ],
)
def test_a_place_without_such_a_kind_is_told(place: str, words: str) -> None:
    with pytest.raises(EnvironmentProblem, match=words):
        registry(("mine", place)).kind("mine")

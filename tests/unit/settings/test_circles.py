"""Strategies may follow each other through virtual points, but not in a circle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from controller.core.errors import ConfigError
from controller.core.strategy import LET_GO, Decision, Ladder, Member, Observation, Role, StrategyKind
from controller.core.text import NO_TEXT, Text
from controller.settings.compile import compile_site
from drivers import driver_kind

_FROM, _TO = (Role(member, 0, "air_temperature_setpoint") for member in ("leader", "follower"))


@dataclass(frozen=True, slots=True)
class Parameters:
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class State:
    pass


class Follow:
    """One zone's setpoint becomes that of another."""

    inputs: Mapping[Role, Ladder] = {_FROM: LET_GO}
    outputs = frozenset({_TO})

    def initial(self) -> State:
        return State()

    def decide(self, seen: Observation, state: State) -> Decision[State]:
        return Decision(state, {_TO: seen.value(_FROM)}, NO_TEXT)


def follow(parameters: Parameters, counts: Mapping[str, int]) -> Follow:
    return Follow()


MEMBERS = {"leader": Member("zone"), "follower": Member("zone")}
KIND = StrategyKind("follow", Text("Follow", "跟随"), MEMBERS, Parameters, State, 1, follow)

SITE = """\
tidewatt: 1
name: Circles
position: {latitude: 22.5, longitude: 114.1}
time_zone: Asia/Shanghai
systems:
  - id: zones
    name: {en: Zones, zh: 区域}
    points: [a.zone_1, a.zone_2, a.zone_3]
    release_within: 10s
"""
DEVICES = """\
links:
  - id: memory
    driver: memory
    connection: {}
    devices:
      - {id: one, template: test/zone, equipment: {zone: a.zone_1}}
      - {id: two, template: test/zone, equipment: {zone: a.zone_2}}
      - {id: three, template: test/zone, equipment: {zone: a.zone_3}}
"""
TEMPLATE = """\
template: test/zone
title: {en: Zone, zh: 区域}
source: generic
driver: memory
equipment:
  zone:
    class: zone
    points:
      air_temperature_setpoint:
        address: {default: 24}
        unit: degC
        writable: {range: [18, 28], release: write_null, on_silence: none}
"""


def told(folder: Path, *follows: str) -> list[str]:
    """What check says of strategies "zone it reads > zone it commands", in the mode after a blank."""
    entries: list[str] = []
    for number, each in enumerate(follows):
        way, _, mode = each.partition(" ")
        leader, _, follower = way.partition(">")
        bind = f"{{leader: a.zone_{leader}, follower: a.zone_{follower}}}"
        priority = ("strategy", "schedule", "optimisation", "demand_response")[number]
        entries.append(
            f"  - {{id: s{number}, strategy: follow, mode: {mode or 'auto'}, priority: {priority}, bind: {bind}}}\n"
        )
    (folder / "strategies.yaml").write_text("strategies:\n" + "".join(entries), encoding="utf-8")
    try:
        compile_site(folder, folder / "templates", driver_kind, lambda name: KIND, environment={})
    except ConfigError as error:
        return [str(problem).replace(f"{folder}/", "") for problem in error.problems]
    return []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "templates" / "test").mkdir(parents=True)
    (tmp_path / "templates" / "test" / "zone.yaml").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    (tmp_path / "devices.yaml").write_text(DEVICES, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "follows",
    [
        ("1>2", "2>3"),
        ("1>2", "1>3"),
        ("1>3", "2>3"),
        ("1>1",),
        ("1>2", "2>1 off"),
    ],
    ids=["a chain", "two followers", "two leaders", "one that reads what it commands", "one that is off"],
)
def test_what_is_no_circle(follows: tuple[str, ...], folder: Path) -> None:
    assert told(folder, *follows) == []


def test_two_that_wait_for_each_other(folder: Path) -> None:
    assert told(folder, "1>2", "2>1 shadow") == [
        "strategies.yaml:2: strategies wait for each other in a circle: "
        "'s0' commands 'a.zone_2.air_temperature_setpoint', which 's1' reads, "
        "'s1' commands 'a.zone_1.air_temperature_setpoint', which 's0' reads; "
        "bind one of them to something else, or switch it off"
    ]


def test_each_circle_is_told_once(folder: Path) -> None:
    found = told(folder, "1>2", "2>3", "3>1", "1>3")
    assert [problem.partition(": ")[0] for problem in found] == ["strategies.yaml:2", "strategies.yaml:4"]
    assert "'s0' commands 'a.zone_2" in found[0]
    assert "'s1' commands 'a.zone_3" in found[0]
    assert "'s2' commands 'a.zone_1" in found[0]
    assert "'s2' commands 'a.zone_1.air_temperature_setpoint', which 's3' reads" in found[1]


def test_a_circle_over_a_real_device_is_its_own_affair(folder: Path) -> None:
    text = (folder / "templates" / "test" / "zone.yaml").read_text(encoding="utf-8")
    text = text.replace("driver: memory", "driver: modbus").replace("release: write_null", "release: {safe_value: 24}")
    text = text.replace("{default: 24}", "{table: holding, register: 0, type: uint16}")
    (folder / "templates" / "test" / "zone.yaml").write_text(text, encoding="utf-8")
    devices = (folder / "devices.yaml").read_text(encoding="utf-8").replace("driver: memory", "driver: modbus")
    devices = devices.replace("connection: {}", "connection: {host: 10.0.0.5}")
    for unit, name in enumerate(("one", "two", "three"), 1):
        devices = devices.replace(f"id: {name},", f"id: {name}, address: {{unit: {unit}}},")
    (folder / "devices.yaml").write_text(devices, encoding="utf-8")
    assert told(folder, "1>2", "2>1") == []

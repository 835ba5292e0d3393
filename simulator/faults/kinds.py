"""The kinds of fault: where each acts, what it may be aimed at, and which numbers it takes.

What a target may be is the simulated building's to say (`Targets`); devices and links are the site's own.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from controller.core.text import Text
from simulator.gateway import Position
from simulator.tags import Tag


class Aim(StrEnum):
    """What a fault is aimed at."""

    READING = "reading"
    NUMBER = "number"
    COUNTER = "counter"
    COMMAND = "command"
    TRIPPING = "tripping"
    SELECTOR = "selector"
    LAMPS = "lamps"
    VALVE = "valve"
    TANK = "tank"
    PANEL = "panel"
    DEVICE = "device"
    LINK = "link"
    SITE = "site"


MEANING: Mapping[Aim, str] = MappingProxyType(
    {
        Aim.READING: "points that are measured",
        Aim.NUMBER: "measured numbers",
        Aim.COUNTER: "counters of energy",
        Aim.COMMAND: "points that can be written",
        Aim.TRIPPING: "machines that can trip",
        Aim.SELECTOR: "machines with a selector",
        Aim.LAMPS: "groups of lamps",
        Aim.VALVE: "valves",
        Aim.TANK: "tanks",
        Aim.PANEL: "fire alarm panels",
        Aim.DEVICE: "devices",
        Aim.LINK: "links",
        Aim.SITE: "targets",
    }
)
"""In words, for whoever named something else."""


Targets: TypeAlias = Mapping[Aim, tuple[str, ...]]
"""Where a simulated building has it, by what is aimed at; devices and links are the site's, and not here."""


def points_of(tags: Mapping[str, Tag]) -> dict[Aim, tuple[str, ...]]:
    """What of a building's tags is measured, counted and commanded."""
    measured = {name: tag for name, tag in tags.items() if not tag.writable}
    return {
        Aim.READING: tuple(measured),
        Aim.NUMBER: tuple([name for name, tag in measured.items() if tag.kind is float]),
        Aim.COUNTER: tuple([name for name, tag in measured.items() if tag.unit == "kWh" and name.endswith("energy")]),
        Aim.COMMAND: tuple([name for name, tag in tags.items() if tag.writable and not name.endswith(".heartbeat")]),
    }


class Number(NamedTuple):
    """A parameter; default None: it must be said. unit: "duration" for a time, "point" for the unit of the target."""

    unit: str
    default: float | None = None
    low: float = float("-inf")
    high: float = float("inf")


class Choice(NamedTuple):
    options: tuple[str, ...]
    default: str


class Written(NamedTuple):
    """A value that the target could have; is_needed: else the target's own is taken. low and high: of a number, where
    the target itself has no limits.
    """

    is_needed: bool
    low: float = float("-inf")
    high: float = float("inf")


Parameter = Number | Choice | Written
_NOTHING: Mapping[str, Parameter] = MappingProxyType({})


class Kind(NamedTuple):
    """group: two faults of one group contradict each other on the same target. lasts_s: unless said otherwise; is_once:
    it happens, and has no end.
    """

    title: Text
    aim: Aim
    parameters: Mapping[str, Parameter] = _NOTHING
    group: str = ""
    lasts_s: float = float("inf")
    is_once: bool = False


_POSITIONS = tuple(each.value for each in (Position.LOCAL, Position.HAND, Position.OFF))

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        # in the instrument
        "drift": Kind(Text("drifts", "漂移"), Aim.NUMBER, {"rate": Number("point per hour")}, "value"),
        "stuck": Kind(Text("shows one value", "卡值"), Aim.READING, {"value": Written(is_needed=False)}, "value"),
        "noise": Kind(Text("is noisy", "噪声"), Aim.NUMBER, {"deviation": Number("point", low=0.0)}),
        "dropout": Kind(Text("gives no value", "无读数"), Aim.READING, {"share": Number("1", 1.0, 0.0, 1.0)}, "value"),
        "meter_rollover": Kind(
            Text("counts only so far", "计数翻转"), Aim.COUNTER, {"range": Number("kWh", low=0.001)}, "counter"
        ),
        "meter_replacement": Kind(
            Text("was replaced", "已更换"), Aim.COUNTER, {"reading": Number("kWh", 0.0, 0.0)}, is_once=True
        ),
        # on the wire
        "slow": Kind(
            Text("answers late", "应答缓慢"), Aim.DEVICE, {"delay": Number("duration", None, 0.0, 60.0)}, "answer"
        ),
        "hang": Kind(Text("answers nothing", "无应答"), Aim.DEVICE, group="answer"),
        "refuse": Kind(Text("takes no connection", "拒绝连接"), Aim.LINK, group="answer"),
        "reboot": Kind(
            Text("restarts and loses its registers", "重启并丢失寄存器"), Aim.DEVICE, group="answer", lasts_s=20.0
        ),
        "word_order": Kind(Text("sends words in the other order", "字序颠倒"), Aim.DEVICE, group="words"),
        "clock_offset": Kind(Text("has a clock that is off", "时钟偏差"), Aim.DEVICE, {"offset": Number("s")}, "clock"),
        "ignored_write": Kind(Text("takes writes and ignores them", "忽略写入"), Aim.COMMAND, group="ignored"),
        # in the plant, and by people
        "trip": Kind(Text("trips", "跳闸"), Aim.TRIPPING, group="trip"),
        "local": Kind(
            Text("is not in auto", "非自动"), Aim.SELECTOR, {"position": Choice(_POSITIONS, "local")}, "local"
        ),
        "panel": Kind(
            Text("somebody sets it at the panel", "有人在面板上设定"),
            Aim.COMMAND,
            {"value": Written(is_needed=True)},
            is_once=True,
        ),
        "valve_stuck": Kind(
            Text("does not move", "卡住不动"),
            Aim.VALVE,
            {"value": Written(is_needed=False, low=0.0, high=1.0)},
            "valve",
        ),
        "tank_mixing": Kind(Text("mixes", "掺混"), Aim.TANK, {"within": Number("duration", 3600.0, 1.0)}, "mixing"),
        "lamps_lost": Kind(Text("has no supply", "失电"), Aim.LAMPS, group="lamps"),
        "fire": Kind(Text("says fire", "报火警"), Aim.PANEL, group="fire"),
        "mains_dip": Kind(Text("the mains dip", "电压暂降"), Aim.SITE, group="mains", lasts_s=2.0),
    }
)

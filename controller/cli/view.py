"""The live terminal view: equipment, what is commanded and why, quality, authority, verdicts.

Everything is drawn from the daemon's status and points as plain JSON, so that it can be drawn of a file, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Line

from controller.cli import words
from controller.core.text import Language, Text

_COLOURS = {
    "owned": "green",
    "pending": "yellow",
    "ignored": "red",
    "overridden": "magenta",
    "implausible": "red",
    "good": "",
    "uncertain": "yellow",
    "bad": "red",
}
_EQUIPMENT = Text("Equipment", "设备")
_COMMANDS = Text("Commands: what Tidewatt wants, and what was read back", "命令：期望与回读")
_STRATEGIES = Text("Strategies", "策略")
_EVENTS = Text("Events", "事件")
_HINT = Text("Ctrl-C: give everything back and stop", "Ctrl-C：全部交还并停止")
_WOULD_BE = Text("would be", "假定")
_NOT_COMMANDED = Text("original controls", "原控制系统")
EVENTS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture's worth of facts, as the control socket would give them."""

    status: Mapping[str, Any]
    points: Mapping[str, Any]
    speed: float
    language: Language


def draw(frame: Frame) -> RenderableType:
    middle = Table.grid(expand=True)
    middle.add_column(ratio=2)
    middle.add_column(ratio=3)
    middle.add_row(_equipment(frame), _commands(frame))
    return Group(_header(frame), middle, _strategies(frame), _events(frame))


def _header(frame: Frame) -> RenderableType:
    status, scan = frame.status, frame.status["scan"]
    line = Line()
    line.append(status["site"], style="bold")
    line.append(f"   {local_time(status):%Y-%m-%d %H:%M:%S}")
    if frame.speed != 1.0:
        line.append(f"   × {frame.speed:g}", style="cyan")
    line.append(f"   scan {scan['actual_period_s']:.1f} s", style="yellow" if _is_stretched(scan) else "")
    if _is_stretched(scan):
        line.append(f" (wanted {scan['period_s']:g} s)", style="yellow")
    for link in status["links"]:
        line.append("   ● " if link["up"] else "   ○ ", style="green" if link["up"] else "red")
        line.append(link["id"])
    second = Line()
    for system in status["systems"]:
        style = "green" if system["authority"] == "tidewatt" else "yellow"
        second.append(f"{system['name'][frame.language]}: ")
        second.append(system["authority"], style=style)
        second.append(f" ({len(system['held'])})   ")
    second.append(_HINT.in_language(frame.language), style="dim")
    return Group(line, second)


def _is_stretched(scan: Mapping[str, Any]) -> bool:
    return scan["actual_period_s"] > 1.5 * scan["period_s"]


def local_time(status: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(status["now"]).astimezone(ZoneInfo(status["time_zone"]))


def _equipment(frame: Frame) -> RenderableType:
    """One line an equipment: its statuses and sensors, the doubtful ones in colour."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for equipment, shown in _by_equipment(frame.points):
        line = Line()
        for quantity, point in shown:
            line.append(_short(quantity) + " ", style="dim")
            line.append(words.value(point["value"], point["unit"], frame.language), style=_COLOURS[point["quality"]])
            line.append("  ")
        table.add_row(Line(equipment, style="bold"), line)
    return Panel(table, title=_EQUIPMENT.in_language(frame.language), title_align="left", border_style="dim")


# What a person looks at first, and how it is called in a narrow column.
_SHOWN = {
    "status": "",
    "tripped": "tripped",
    "fan_status": "fan",
    "motion": "motion",
    "brightness": "light",
    "illuminance": "",
    "speed": "",
    "leaving_chilled_water_temperature": "leaving",
    "entering_chilled_water_temperature": "entering",
    "chilled_water_supply_temperature": "supply",
    "chilled_water_return_temperature": "return",
    "cooling_load": "load",
    "upper_temperature": "upper",
    "lower_temperature": "lower",
    "air_temperature": "air",
    "outdoor_air_temperature": "air",
    "outdoor_air_relative_humidity": "humidity",
    "power": "",
}


def _short(quantity: str) -> str:
    return _SHOWN[quantity]


def _by_equipment(points: Mapping[str, Any]) -> Iterable[tuple[str, list[tuple[str, Any]]]]:
    grouped: dict[str, list[tuple[str, Any]]] = {}
    for id_, point in points.items():
        equipment, _, quantity = id_.rpartition(".")
        if quantity in _SHOWN and not (quantity == "tripped" and point["value"] is False):
            grouped.setdefault(equipment, []).append((quantity, point))
    return grouped.items()


def _commands(frame: Frame) -> RenderableType:
    table = Table(box=None, padding=(0, 1), expand=True, header_style="dim")
    for heading in ("point", "wanted", "read", "verdict", "why"):
        table.add_column(heading, no_wrap=heading != "why", ratio=1 if heading == "why" else None)
    for id_, point in frame.points.items():
        outcome = point.get("commanded")
        if outcome is not None:
            table.add_row(*_command(id_, point, outcome, frame.language))
    return Panel(table, title=_COMMANDS.in_language(frame.language), title_align="left", border_style="dim")


def _command(id_: str, point: Any, outcome: Any, language: Language) -> tuple[RenderableType, ...]:
    read = Line(words.value(point["value"], point["unit"], language), style=_COLOURS[point["quality"]])
    if outcome["source"] is None:
        return Line(id_, style="dim"), "—", read, "", Line(_NOT_COMMANDED.in_language(language), style="dim")
    wanted = words.value(outcome["allowed"], point["unit"], language)
    if outcome["authority"] == "original":
        return Line(id_, style="dim"), wanted, read, _WOULD_BE.in_language(language), outcome["reason"][language]
    verdict = outcome["verdict"] or ""
    why = outcome["waiting"][language] or outcome["limit"][language]
    why = f"{outcome['source'].partition(':')[2]}: {why or outcome['reason'][language]}"
    style = "red" if outcome["effect_missing"] else _COLOURS.get(verdict, "")
    return Line(id_), wanted, read, Line(verdict, style=style), why


def _strategies(frame: Frame) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for strategy in frame.status["strategies"]:
        doing = strategy["fault"] or strategy["reason"][frame.language]
        style = "red" if strategy["fault"] else ""
        degraded = ", ".join(f"{role} {state}" for role, state in strategy["inputs"].items())
        table.add_row(
            Line(strategy["id"], style="bold"),
            strategy["mode"],
            Line(doing, style=style),
            Line(degraded, style="yellow"),
        )
    return Panel(table, title=_STRATEGIES.in_language(frame.language), title_align="left", border_style="dim")


def _events(frame: Frame) -> RenderableType:
    zone = ZoneInfo(frame.status["time_zone"])
    lines = [
        Line.assemble(
            (f"{datetime.fromisoformat(event['at']).astimezone(zone):%H:%M:%S} ", "dim"),
            (f"{event['kind']:<9} ", "cyan"),
            (f"{event['subject']} ", "bold"),
            event_words(event["body"]),
        )
        for event in frame.status["events"][-EVENTS_SHOWN:]
    ]
    return Panel(Group(*lines), title=_EVENTS.in_language(frame.language), title_align="left", border_style="dim")


def event_words(body: Mapping[str, Any]) -> str:
    """An event's body in one line, without what every event carries."""
    hidden = {"configuration", "reason_zh", "plan", "wishes"}
    return "  ".join(
        f"{key}={value}" for key, value in body.items() if key not in hidden and value not in (None, "", [], {})
    )

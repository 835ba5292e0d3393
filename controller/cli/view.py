"""The live terminal view: equipment, what is commanded and why, quality, authority, verdicts.

Everything is drawn from the daemon's status and points as plain JSON, so that it can be drawn of a file, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from controller.cli import words
from controller.cli.frame import Frame, panel
from controller.cli.today_view import outlook, today
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
_HEADINGS = (
    Text("point", "点"),
    Text("wanted", "期望"),
    Text("read", "回读"),
    Text("verdict", "判定"),
    Text("held by", "控制者"),
)
_HINT = Text("Ctrl-C: give everything back and stop", "Ctrl-C：全部交还并停止")
_SCAN = Text("scan", "扫描")
_WISHED = Text("wanted", "期望")
_POINTS_HELD = Text("{} held", "持有 {} 点")
_WAITING = Text("{} waiting", "{} 条待发")
_LOST = Text("{} lost", "{} 条未送达")
_WOULD_BE = Text("would be", "假定")
_ALARMS = Text("alarms: {}", "报警：{}")
_SWITCHED = Text("block {}: {}", "第 {} 段：{}")
_NOT_EQUAL = Text(", the tank is not equal", "，蓄冷罐不相同")
_FIRE = Text("fire input {}: {}", "火警输入 {}：{}")
EVENTS_SHOWN = 12
# Equipment and commands beside each other need this many columns.
WIDE = 165
# Cells of a strip of 24 hours: half an hour each, or twenty minutes where there is room.
NARROW, BROAD = 48, 72


def draw(frame: Frame, width: int) -> RenderableType:
    """The view for a terminal of so many columns. The terminal cuts off the bottom: what matters most stands on top."""
    if width < WIDE:
        parts = *_money(frame, NARROW), _strategies(frame), _commands(frame), _equipment(frame), _events(frame)
        return Group(_header(frame, is_narrow=True), *parts)
    top = _beside(_money(frame, BROAD), 5, 7)
    middle = _beside([_equipment(frame), _commands(frame)], 5, 7)
    return Group(_header(frame, is_narrow=False), *top, _strategies(frame), *middle, _events(frame))


def _money(frame: Frame, cells: int) -> list[RenderableType]:
    """What the day costs and why, as far as it is known."""
    return [each for each in (today(frame), outlook(frame, cells)) if each is not None]


def _beside(panels: list[RenderableType], *ratios: int) -> list[RenderableType]:
    if len(panels) < 2:
        return panels
    row = Table.grid(expand=True)
    for ratio in ratios:
        row.add_column(ratio=ratio)
    row.add_row(*panels)
    return [row]


def _header(frame: Frame, *, is_narrow: bool) -> RenderableType:
    status, scan = frame.status, frame.status["scan"]
    line = Line()
    line.append(status["site"], style="bold")
    line.append(f"   {frame.now:%a %Y-%m-%d %H:%M:%S}")
    if frame.speed != 1.0:
        line.append(f"   × {frame.speed:g}", style="cyan")
    line.append(f"   {frame.say(_SCAN)} {scan['actual_period_s']:.1f} s", style="yellow" if _is_stretched(scan) else "")
    if _is_stretched(scan):
        line.append(f" ({frame.say(_WISHED)} {scan['period_s']:g} s)", style="yellow")
    line.append("  ")
    for link in status["links"]:
        line.append(" ●" if link["up"] else " ○", style="green" if link["up"] else "red")
        # Where there is little room, what is as it should be has no name.
        if not (is_narrow and link["up"]):
            line.append(f" {link['id']}  ")
    if status["history"]["remote"] is not None:
        _append_remote(line, frame, status["history"]["remote"])
    active = status["alarms"]["active"]
    if active:
        style = "bold red" if status["alarms"]["unacknowledged"] else "yellow"
        line.append(f"   {frame.say(_ALARMS).format(active)}", style=style)
    second = Line()
    for system in status["systems"]:
        style = "green" if system["authority"] == "tidewatt" else "yellow"
        second.append(f"{system['name'][frame.language]}: ")
        second.append(frame.term(system["authority"]), style=style)
        second.append(f", {frame.say(_POINTS_HELD).format(len(system['held']))}   ")
    second.append(frame.say(_HINT), style="dim")
    return Group(*_fire(frame), line, second, *_ab_days(frame))


def _ab_days(frame: Frame) -> list[Line]:
    return [
        Line(f"{system['name'][frame.language]}: {system['ab_days'][frame.language]}", style="dim")
        for system in frame.status["systems"]
        if system["ab_days"] is not None
    ]


def _fire(frame: Frame) -> list[Line]:
    """Above all else, and only where there is something to tell."""
    return [
        Line(frame.say(_FIRE).format(each["input"], frame.term(each["state"])), style="bold red")
        for each in frame.status["fire"]
        if each["state"] != "normal"
    ]


def _append_remote(line: Line, frame: Frame, remote: Mapping[str, Any]) -> None:
    """The database that history is copied to: a dot like a link's, and what it did not get."""
    line.append("   ○ " if remote["trouble"] else "   ● ", style="yellow" if remote["trouble"] else "green")
    line.append(remote["name"])
    lost = remote["dropped"] + remote["refused"]
    if remote["trouble"]:
        line.append(f" {frame.say(_WAITING).format(remote['pending'])}", style="yellow")
    if lost:
        line.append(f" {frame.say(_LOST).format(lost)}", style="yellow")


def _is_stretched(scan: Mapping[str, Any]) -> bool:
    return scan["actual_period_s"] > 1.5 * scan["period_s"]


# --- equipment --------------------------------------------------------------------------------------------------------

# What a person looks at first, and how it is called in a narrow column; the rest is told by its unit.
_NAMELESS = Text("", "")
_SHOWN = {
    "status": _NAMELESS,
    "tripped": Text("tripped", "跳闸"),
    "fan_status": Text("fan", "风机"),
    "motion": Text("motion", "移动"),
    "brightness": Text("light", "亮度"),
    "illuminance": _NAMELESS,
    "speed": _NAMELESS,
    "leaving_chilled_water_temperature": Text("out", "出水"),
    "entering_chilled_water_temperature": Text("in", "进水"),
    "chilled_water_supply_temperature": Text("supply", "供水"),
    "chilled_water_return_temperature": Text("return", "回水"),
    "cooling_load": Text("load", "冷负荷"),
    "upper_temperature": Text("upper", "上层"),
    "lower_temperature": Text("lower", "下层"),
    "air_temperature": Text("air", "空气"),
    "outdoor_air_temperature": Text("air", "空气"),
    "outdoor_air_relative_humidity": Text("humidity", "湿度"),
    "power": _NAMELESS,
}


def _equipment(frame: Frame) -> RenderableType:
    """One line an equipment: whether it is in auto, its statuses and sensors, the doubtful ones in colour."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    unavailable = _not_in_auto(frame)
    grouped = _by_equipment(frame.points)
    # What nobody commands stands on top: the terminal cuts off the bottom.
    for equipment, shown in sorted(grouped, key=lambda each: each[0] not in unavailable):
        line = Line()
        for quantity, point in shown:
            if name := frame.say(_SHOWN[quantity]):
                line.append(f"{name} ", style="dim")
            line.append(words.value(point["value"], point["unit"], frame.language), style=_COLOURS[point["quality"]])
            line.append("  ")
        if equipment in unavailable:
            line = Line.assemble((f"{unavailable.pop(equipment)}  ", "bold magenta"), line)
        table.add_row(Line(equipment, style="bold"), line)
    for equipment, standing in unavailable.items():
        table.add_row(Line(equipment, style="bold"), Line(standing, style="bold magenta"))
    return panel(frame, _EQUIPMENT, table)


def _not_in_auto(frame: Frame) -> dict[str, str]:
    """The equipment that nobody commands, and why."""
    return {each["equipment"]: each["reason"][frame.language] for each in frame.status["unavailable"]}


def _by_equipment(points: Mapping[str, Any]) -> Iterable[tuple[str, list[tuple[str, Any]]]]:
    grouped: dict[str, list[tuple[str, Any]]] = {}
    for id_, point in points.items():
        equipment, _, quantity = id_.rpartition(".")
        if quantity in _SHOWN and not (quantity == "tripped" and point["value"] is False):
            grouped.setdefault(equipment, []).append((quantity, point))
    return grouped.items()


# --- commands ---------------------------------------------------------------------------------------------------------


def _commands(frame: Frame) -> RenderableType:
    table = Table(box=None, padding=(0, 1), expand=True, header_style="dim")
    for heading in _HEADINGS:
        is_last = heading is _HEADINGS[-1]
        table.add_column(frame.say(heading), no_wrap=not is_last, ratio=1 if is_last else None)
    commanded = [(id_, point) for id_, point in frame.points.items() if point.get("commanded") is not None]
    # What nobody commands is the least interesting; where the bottom is cut off it goes first.
    for id_, point in sorted(commanded, key=lambda each: each[1]["commanded"]["source"] is None):
        table.add_row(*_command(frame, id_, point))
    return panel(frame, _COMMANDS, table)


def _command(frame: Frame, id_: str, point: Any) -> tuple[RenderableType, ...]:
    outcome = point["commanded"]
    read = Line(words.value(point["value"], point["unit"], frame.language), style=_COLOURS[point["quality"]])
    if outcome["source"] is None:
        return Line(id_, style="dim"), "—", read, "", Line(frame.term("original"), style="dim")
    wanted = words.value(outcome["allowed"], point["unit"], frame.language)
    if outcome["authority"] == "original":
        return Line(id_, style="dim"), wanted, read, frame.say(_WOULD_BE), Line(_held_by(frame, outcome), style="dim")
    verdict = outcome["verdict"] or ""
    style = "red" if outcome["effect_missing"] else _COLOURS.get(verdict, "")
    return Line(id_), wanted, read, Line(frame.term(verdict), style=style), _held_by(frame, outcome)


def _held_by(frame: Frame, outcome: Any) -> str:
    """Who holds the point, and what is not told among the strategies: limits, waiting, a person's reason."""
    kind, _, name = outcome["source"].partition(":")
    why = outcome["waiting"][frame.language] or outcome["limit"][frame.language]
    if kind == "strategy":
        return f"{name}: {why}" if why else name
    why = why or outcome["reason"][frame.language]
    return f"{outcome['source']}: {why}" if why else outcome["source"]


# --- strategies and events --------------------------------------------------------------------------------------------


def _strategies(frame: Frame) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for strategy in frame.status["strategies"]:
        doing = strategy["fault"] or strategy["reason"][frame.language]
        style = "red" if strategy["fault"] else ""
        degraded = ", ".join(f"{role} {frame.term(state)}" for role, state in strategy["inputs"].items())
        table.add_row(
            Line(strategy["id"], style="bold"),
            frame.term(strategy["mode"]),
            Line(doing, style=style),
            Line(degraded, style="yellow"),
        )
    return panel(frame, _STRATEGIES, table)


def _events(frame: Frame) -> RenderableType:
    """The latest on top."""
    lines = [
        Line.assemble(
            (f"{frame.local(event['at']):%H:%M:%S} ", "dim"),
            (f"{words.padded(frame.term(event['kind']), 9)} ", "cyan"),
            (f"{event['subject']} ", "bold"),
            event_words(event, frame.points, frame.language),
        )
        for event in reversed(frame.status["events"][-EVENTS_SHOWN:])
    ]
    return panel(frame, _EVENTS, Group(*lines))


_STEPS = {
    "write": Text("write {}", "写入 {}"),
    "keep": Text("kept at {}", "保持 {}"),
    "release": Text("let go with {}", "释放为 {}"),
    "operator": Text("an operator commands {}", "操作员命令 {}"),
}
_REFUSED = Text(", refused: {}", "，被拒绝：{}")
_READ_BACK = Text("{}: wrote {}, read {}", "{}：写入 {}，回读 {}")
_LET_GO = Text("let go", "已释放")
_INPUT = Text("input {}: {}", "输入 {}：{}")
_MADE = Text("next 24 h: mean {}, peak {}, by the {}", "未来 24 小时：平均 {}，峰值 {}，依据{}")
_SCORED = Text("was off by {} on average; the same hour of last week by {}", "平均误差 {}；上周同一时刻误差 {}")
_TRAINED = Text("trained: {}", "已训练：{}")
# Said elsewhere, or in the other language.
_HIDDEN = {"configuration", "reason_zh", "plan", "wishes", "mode"}


def _forecast_words(body: Mapping[str, Any], unit: str, language: Language) -> str:
    def value(shown: float) -> str:
        return words.value(shown, unit, language)

    if body["step"] == "made":
        values = body["values"]
        shown = value(sum(values) / len(values)), value(max(values)), words.term(body["source"], language)
        return _MADE.in_language(language).format(*shown)
    if body["step"] == "scored" and body["mean_absolute_error"] is not None:
        shown = value(body["mean_absolute_error"]), value(body["baseline_mean_absolute_error"])
        return _SCORED.in_language(language).format(*shown)
    if body["step"] == "trained":
        return _TRAINED.in_language(language).format(body["reason_zh" if language == "zh" else "reason"])
    return "  ".join(f"{key}={body[key]}" for key in ("step", "of", "cause", "hours") if key in body)


def _configuration_words(body: Mapping[str, Any], language: Language) -> str:
    """What became of a reload, who asked for it, and the first difference or the reason."""
    suffix = "_zh" if language == "zh" else ""
    differences = body["difference" + suffix]
    more = f" (+{len(differences) - 1})" if len(differences) > 1 else ""
    what = body["reason" + suffix] or "".join(differences[:1]) + more
    return f"{words.term(body['step'], language)}  {body['who']}  {what}"


def _commissioning_words(body: Mapping[str, Any], language: Language) -> str:
    told = f"{body['item']}: {words.term(body['result'], language)}"
    return "  ".join(each for each in (told, body["measured"], body["who"], body["note"]) if each)


def _fire_words(body: Mapping[str, Any], language: Language) -> str:
    return "  ".join(each for each in (words.term(body["state"], language), body.get("who", "")) if each)


def _ab_days_words(body: Mapping[str, Any], language: Language) -> str:
    """Which side begins, or what kept the block from being whole."""
    step = body["step"]
    if step == "switched":
        told = _SWITCHED.in_language(language).format(body["block"], words.term(body["side"], language))
        return told + (_NOT_EQUAL.in_language(language) if body["equal"] is False else "")
    reason = body.get("reason_zh" if language == "zh" else "reason", body.get("who", ""))
    return f"{words.term(step, language)}  {reason}"


_BY_PEOPLE: Mapping[str, Callable[[Mapping[str, Any], Language], str]] = {
    "commissioning": _commissioning_words,
    "configuration": _configuration_words,
    "fire": _fire_words,
    "ab_days": _ab_days_words,
}


def event_words(event: Mapping[str, Any], points: Mapping[str, Any], language: Language) -> str:
    """What happened, in one line."""
    body, kind = event["body"], event["kind"]
    unit = points[event["subject"]]["unit"] if event["subject"] in points else "none"

    def value(name: str) -> str:
        return words.value(body[name], unit, language)

    if kind == "command" and body["step"] in _STEPS:
        told = _STEPS[body["step"]].in_language(language).format(value("value"))
        return told if body.get("accepted", True) else told + _REFUSED.in_language(language).format(body["reason"])
    if kind == "verdict":
        verdict = words.term(body["verdict"], language)
        return _READ_BACK.in_language(language).format(verdict, value("written"), value("read"))
    if kind == "release":
        return _LET_GO.in_language(language)
    if kind == "forecast":
        return _forecast_words(body, unit, language)
    if kind in _BY_PEOPLE and "in_force" not in body:
        return _BY_PEOPLE[kind](body, language)
    if kind == "alarm":
        return ": ".join(words.term(body[name], language) for name in ("alarm", "state"))
    if kind == "strategy" and body.get("step") == "input":
        told = _INPUT.in_language(language).format(body["point"], words.term(body["now"], language))
        return f"{told}  {body['cause']}".rstrip()
    if kind in ("strategy", "equipment", "availability") and body.get("fault") is None and "reason" in body:
        return body["reason_zh" if language == "zh" else "reason"]
    return "  ".join(
        f"{key}={shown}" for key, shown in body.items() if key not in _HIDDEN and shown not in (None, "", [], {})
    )

"""tidewatt equipment SITE [list|done]: how long and how often everything ran, and what is to be done about it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli import words
from controller.cli.arguments import Exit, add_command, add_json, add_site, add_who, language, who_of
from controller.cli.client import ask
from controller.cli.output import print_json, say
from controller.core.text import Language, Text

_EXAMPLE = "tidewatt equipment config/sites/demo"
_NOTHING = Text("no equipment of this site tells whether it runs", "该站点没有可记录运行状态的设备")
_HEADINGS = (
    Text("equipment", "设备"),
    Text("now", "当前"),
    Text("run hours", "运行小时"),
    Text("unknown", "未知小时"),
    Text("starts", "启动次数"),
    Text("last hour", "近一小时"),
    Text("last start", "最近启动"),
)
_UNKNOWN = Text("unknown", "未知")
_OVERDUE = Text("overdue: {}, {}", "超期：{}，{}")
_LEFT = Text("{}: {}", "{}：{}")
_HOURS_LEFT = Text("{:.0f} run hours left", "剩余 {:.0f} 运行小时")
_HOURS_OVER = Text("{:.0f} run hours over", "超出 {:.0f} 运行小时")
_DAYS_LEFT = Text("{:.0f} days left", "剩余 {:.0f} 天")
_DAYS_OVER = Text("{:.0f} days over", "超出 {:.0f} 天")
_LEARNING = Text("learns its clean baseline: {} of {} hours", "正在学习清洁基线：{}/{} 小时")
_POWER = Text(
    "COP {:.2f} ({:.3f} kW/RT), when clean {:.2f} ({:.3f})", "COP {:.2f}（{:.3f} kW/RT），清洁时 {:.2f}（{:.3f}）"
)
_APPROACH = Text("condenser approach {:.1f} K, when clean {:.1f} K", "冷凝器趋近温差 {:.1f} K，清洁时 {:.1f} K")
_NOT_ALIKE = Text(
    "too few hours of the last 7 days are like those of its clean baseline", "近 7 天与清洁基线工况相近的小时数不足"
)
_NOTED = Text("noted: {} of {} is done", "已记录：{1} 的 {0} 已完成")


def register(commands: Any) -> None:
    parser = add_command(
        commands, "equipment", "run hours, starts, maintenance and advice, machine by machine", _EXAMPLE
    )
    add_site(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    add_json(parser)
    parser.set_defaults(execute=_list, equipment=None)
    shown = add_command(actions, "list", "show all equipment, or one", f"{_EXAMPLE} list plant.chiller_1")
    shown.add_argument("equipment", metavar="EQUIPMENT", nargs="?", help="only this one, such as plant.chiller_1")
    add_json(shown)
    shown.set_defaults(execute=_list)
    done = add_command(
        actions,
        "done",
        "note that maintenance was done; its interval begins anew",
        f"{_EXAMPLE} done plant.chiller_1 --what 'oil and filter'",
    )
    done.add_argument("equipment", metavar="EQUIPMENT", help="such as plant.chiller_1")
    done.add_argument("--what", default="", help="the task as site.yaml names it; may be left out where there is one")
    add_who(done)
    add_json(done)
    done.set_defaults(execute=_done)


def _list(arguments: argparse.Namespace) -> int:
    shown = ask(arguments.site, "equipment", equipment=arguments.equipment)
    if arguments.json:
        print_json(shown)
        return Exit.OK
    for line in told(shown, language()):
        say(line)
    return Exit.OK


def _done(arguments: argparse.Namespace) -> int:
    who = who_of(arguments)
    shown = ask(arguments.site, "equipment_done", equipment=arguments.equipment, what=arguments.what, who=who)
    if arguments.json:
        print_json(shown)
        return Exit.OK
    what = arguments.what or shown["equipment"][0]["maintenance"][0]["what"]
    say(_NOTED.in_language(language()).format(what, arguments.equipment))
    return Exit.OK


def told(shown: Mapping[str, Any], chosen: Language) -> Iterator[str]:
    """A table, and below each equipment what is to be said of it."""
    equipment = shown["equipment"]
    if not equipment:
        yield _NOTHING.in_language(chosen)
        return
    zone, now = ZoneInfo(shown["time_zone"]), datetime.fromisoformat(shown["now"])
    table = [[each.in_language(chosen) for each in _HEADINGS], *(_cells(each, zone, now, chosen) for each in equipment)]
    widths = [max(words.width(row[column]) for row in table) for column in range(len(_HEADINGS))]
    for row, each in zip(table, [None, *equipment], strict=True):
        yield "  ".join(words.padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if each is not None:
            yield from (f"    {line}" for line in _remarks(each, chosen))


def _cells(each: Mapping[str, Any], zone: ZoneInfo, now: datetime, chosen: Language) -> list[str]:
    runs = each["is_running"]
    limits = each["limits"]
    most = "" if limits is None else f" / {limits['starts_per_hour']}"
    return [
        each["id"],
        _UNKNOWN.in_language(chosen) if runs is None else words.value(runs, "none", chosen),
        f"{each['run_hours']:.1f}",
        f"{each['unknown_hours']:.1f}",
        f"{each['starts']}",
        f"{each['starts_last_hour']}{most}",
        words.moment(each["last_start"], zone, now),
    ]


def _remarks(each: Mapping[str, Any], chosen: Language) -> Iterator[str]:
    if each["short_cycling"] is not None:
        yield each["short_cycling"][chosen]
    if each["efficiency"] is not None:
        yield from _efficiency(each["efficiency"], chosen)
    for task in each["maintenance"]:
        form = _OVERDUE if task["is_overdue"] else _LEFT
        yield form.in_language(chosen).format(task["what"], _left(task, chosen))


def _efficiency(known: Mapping[str, Any], chosen: Language) -> Iterator[str]:
    power, approach = known["power"], known["approach"]
    if known["trouble"]:
        yield known["trouble"]
    if known["baseline"] is None:
        yield _LEARNING.in_language(chosen).format(known["hours_known"], known["hours_to_learn"])
    elif power is None and approach is None:
        yield _NOT_ALIKE.in_language(chosen)
    if power is not None:
        figures = (power[name] for name in ("cop", "kw_per_rt", "clean_cop", "clean_kw_per_rt"))
        yield _POWER.in_language(chosen).format(*figures)
    if approach is not None:
        yield _APPROACH.in_language(chosen).format(approach["approach"], approach["clean"])
    if known["advice"] is not None:
        yield f"→ {known['advice'][chosen]}"


def _left(task: Mapping[str, Any], chosen: Language) -> str:
    said: list[str] = []
    for name, left, over in (("run_hours_left", _HOURS_LEFT, _HOURS_OVER), ("days_left", _DAYS_LEFT, _DAYS_OVER)):
        if task[name] is not None:
            said.append((over if task[name] < 0 else left).in_language(chosen).format(abs(task[name])))
    return ("，" if chosen == "zh" else ", ").join(said)

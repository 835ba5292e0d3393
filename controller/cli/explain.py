"""tidewatt explain SITE POINT: who holds it, who lost, which limit acted, what was read back, when."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli import words
from controller.cli.arguments import Exit, add_command, add_json, add_site, language
from controller.cli.client import ask
from controller.cli.output import print_json, say
from controller.cli.view import event_words
from controller.core.command import Priority
from controller.core.text import Language, Text


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "explain",
        "tell why a point is as it is",
        "tidewatt explain config/sites/demo garage.group_1.brightness_command",
    )
    add_site(parser)
    parser.add_argument("point", metavar="POINT")
    add_json(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    answer = ask(arguments.site, "explain", point=arguments.point)
    if arguments.json:
        print_json(answer)
        return Exit.OK
    for line in told(answer, language()):
        say(line)
    return Exit.OK


_AGE = Text(", {} old", "，{} 前")
_FOR = Text(", for {} now", "，已 {}")
_LATELY = Text("lately", "最近")
_NOW = Text("now", "当前值")
_HELD_BY = Text("held by", "控制者")
_BECAUSE = Text("because", "原因")
_LOST = Text("held back", "被压制")
_LIMIT = Text("limit", "限制")
_WAITS = Text("waiting", "等待")
_WRITTEN = Text("written", "已写入")
_READ_BACK = Text("read back", "回读")
_EFFECT = Text("effect", "效果")
_SYSTEM = Text("system", "系统")
_SHADOW = Text("shadow", "影子")
_FIRE = Text("fire input", "火警输入")
_NOBODY = Text("nobody; the site's own controls have it", "无；由现场原有控制系统控制")
_HANDSHAKE = Text(
    "Tidewatt itself: it sets this when it takes a machine over and clears it when it hands it back",
    "Tidewatt 自身：接管设备时置位，交还时复位",
)
_NOT_COMMANDABLE = Text("it is only read; nobody commands it", "该点只读，无人控制")
_EQUIPMENT = Text("equipment", "设备")
_WOULD_BE = Text(
    "Tidewatt has no authority here: nothing is written, this is what would be",
    "Tidewatt 无控制权：不写入，仅显示将会怎样",
)
_PEOPLE_ONLY = Text(
    "the system is being commissioned: only what people command is written, this is what would be",
    "系统调试中：仅写入人工命令，以下仅显示将会怎样",
)


def told(answer: dict[str, Any], chosen: Language) -> list[str]:
    """The explanation as lines for people."""

    def line(label: Text, content: str) -> str:
        return f"  {words.padded(label.in_language(chosen), 10)} {content}"

    sample = answer["sample"]
    unit = sample["unit"]
    lines = [answer["point"], line(_NOW, _sample(sample, chosen))]
    if "system" in answer:
        lines.append(line(_SYSTEM, f"{answer['system']}: {words.term(answer['authority'], chosen)}"))
    if answer["availability"]["availability"] != "auto":
        lines.append(line(_EQUIPMENT, answer["availability"]["reason"][chosen]))
    if "winner" in answer:
        lines.extend(_arbitrated(answer, unit, chosen, line))
    else:
        if answer["fire"] is not None:
            lines.append(line(_FIRE, words.term(answer["fire"], chosen)))
        nobody = _NOT_COMMANDABLE if "system" not in answer else _HANDSHAKE if "holding" in answer else _NOBODY
        lines.append(line(_HELD_BY, nobody.in_language(chosen)))
    if holding := answer.get("holding"):
        lines.extend(_holding(holding, answer["readback"], unit, chosen, line))
    if answer.get("shadow"):
        lines.append(line(_SHADOW, _command(answer["shadow"], unit, chosen)))
    for each in answer["lately"]:
        what = event_words(each, {answer["point"]: sample}, chosen)
        lines.append(line(_LATELY, f"{_moment(each['at'], answer['time_zone'])}  {what}"))
    return lines


def _arbitrated(answer: dict[str, Any], unit: str, chosen: Language, line: Any) -> list[str]:
    lines = _held_by(answer, unit, chosen, line)
    lines.extend(line(_LOST, _command(each, unit, chosen)) for each in answer["losers"])
    if answer["limit"][chosen]:
        lines.append(line(_LIMIT, answer["limit"][chosen] + _since(answer["limited_ago_s"], chosen)))
    if answer["waiting"][chosen]:
        lines.append(line(_WAITS, answer["waiting"][chosen]))
    return lines


def _since(ago: float | None, chosen: Language) -> str:
    return "" if ago is None else _FOR.in_language(chosen).format(words.lasting(ago))


def _moment(at: str, zone: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(ZoneInfo(zone)):%m-%d %H:%M:%S}"


def _held_by(answer: dict[str, Any], unit: str, chosen: Language, line: Any) -> list[str]:
    winner = answer["winner"]
    lines = [f"  {_WOULD_BE.in_language(chosen)}"] if answer.get("authority") == "original" else []
    if (
        answer.get("authority") == "commissioning"
        and winner is not None
        and winner["priority"] > Priority.MANUAL_OPERATOR
    ):
        lines = [f"  {_PEOPLE_ONLY.in_language(chosen)}"]
    if winner is None:
        return [*lines, line(_HELD_BY, _NOBODY.in_language(chosen))]
    lines.append(line(_HELD_BY, _command(winner, unit, chosen) + _since(answer["won_ago_s"], chosen)))
    if winner["reason"][chosen]:
        lines.append(line(_BECAUSE, winner["reason"][chosen]))
    return lines


def _sample(sample: dict[str, Any], chosen: Language) -> str:
    quality = words.term(sample["quality"], chosen)
    quality = f"{quality}, {sample['reason']}" if sample["reason"] else quality
    age = _AGE.in_language(chosen).format(words.lasting(sample["age_s"]))
    return f"{words.value(sample['value'], sample['unit'], chosen)} ({quality}{age})"


def _command(command: dict[str, Any], unit: str, chosen: Language) -> str:
    value = words.value(command["value"], unit, chosen)
    ends = words.lasting(max(0.0, command["ends_in_s"]))
    level = words.term(command["level"], chosen)
    if chosen == "zh":
        return f"{command['source']}：{value}，优先级 {command['priority']}（{level}），{ends} 后到期"
    renewed = " unless renewed" if command["source"].startswith(("strategy:", "fire:")) else ""
    return f"{command['source']}: {value}, level {command['priority']} ({level}), ends in {ends}{renewed}"


def _holding(holding: dict[str, Any], readback: dict[str, Any], unit: str, chosen: Language, line: Any) -> list[str]:
    written = words.value(holding["written"], unit, chosen)
    before = words.value(holding["before"], unit, chosen)
    # What an earlier run wrote has no time of ours.
    ago = words.lasting(holding["written_ago_s"]) if "written_ago_s" in holding else None
    since = words.lasting(holding["verdict_for_s"])
    age = _AGE.in_language(chosen).format(words.lasting(readback["age_s"]))
    read = words.value(readback["value"], unit, chosen) + age
    if chosen == "zh":
        lines = [
            line(_WRITTEN, f"{written}{f'，{ago} 前' if ago else ''}（此前为 {before}）"),
            line(_READ_BACK, f"{read}：{words.term(holding['verdict'], chosen)}，已 {since}"),
        ]
    else:
        lines = [
            line(_WRITTEN, f"{written}{f', {ago} ago' if ago else ''} (before us: {before})"),
            line(_READ_BACK, f"{read}: {holding['verdict']} for {since}"),
        ]
    if holding["refusal"]:
        lines.append(line(_READ_BACK, holding["refusal"]))
    if holding["effect_missing"]:
        missing = Text("missing: the equipment does not follow", "缺失：设备未响应")
        lines.append(line(_EFFECT, missing.in_language(chosen)))
    return lines

"""tidewatt fire SITE [reset [INPUT]]: what the fire inputs say, and a person's word that it is over."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli import words
from controller.cli.arguments import Exit, add_command, add_json, add_site, add_who, language, who_of
from controller.cli.client import ask
from controller.cli.output import print_json, say
from controller.core.text import Language, Text

_EXAMPLE = "tidewatt fire my-site"
_NONE = Text("this site has no fire input", "本站点未配置火警输入")
_SINCE = Text("not reset since {}", "自 {} 起未复位")
_MEANS = Text(
    "lights up: {}; ventilation let go: {}; cooling plant let go: {} points",
    "照明全亮 {} 点；通风释放 {} 点；冷源释放 {} 点",
)
_RESET = Text("{}: reset", "{}：已复位")
_NOTHING = Text("nothing waits for a reset", "无待复位的火警")


def register(commands: Any) -> None:
    parser = add_command(commands, "fire", "show the fire inputs, and reset them once the fire is over", _EXAMPLE)
    add_site(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    add_json(parser)
    parser.set_defaults(execute=_show)
    reset = add_command(
        actions, "reset", "say that it is over: what was let go may be commanded again", f"{_EXAMPLE} reset --who li.na"
    )
    reset.add_argument("input", nargs="?", metavar="INPUT", help="the input's point (default: every input)")
    add_who(reset)
    add_json(reset)
    reset.set_defaults(execute=_reset)


def _show(arguments: argparse.Namespace) -> int:
    shown = ask(arguments.site, "fire")
    if arguments.json:
        print_json(shown)
        return Exit.OK
    for each in shown["inputs"]:
        for line in told(each, ZoneInfo(shown["time_zone"]), language()):
            say(line)
    if not shown["inputs"]:
        say(_NONE.in_language(language()))
    return Exit.OK


def _reset(arguments: argparse.Namespace) -> int:
    answer = ask(arguments.site, "reset_fire", point=arguments.input, who=who_of(arguments))
    if arguments.json:
        print_json(answer)
        return Exit.OK
    for point in answer["reset"]:
        say(_RESET.in_language(language()).format(point))
    if not answer["reset"]:
        say(_NOTHING.in_language(language()))
    return Exit.OK


def told(each: Mapping[str, Any], zone: ZoneInfo, chosen: Language) -> list[str]:
    """The lines of one input."""
    state = words.term(each["state"], chosen)
    if each["since"] is not None:
        since = datetime.fromisoformat(each["since"]).astimezone(zone)
        state += f", {_SINCE.in_language(chosen).format(f'{since:%Y-%m-%d %H:%M:%S}')}"
    counts = (len(each[name]) for name in ("lights", "ventilation", "plant"))
    return [f"{each['input']}: {state}", f"  {_MEANS.in_language(chosen).format(*counts)}"]

"""tidewatt fault SITE [KIND [TARGET]]: make something go wrong at the simulated plant, see what is, and mend it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli.arguments import Exit, add_command, add_json, add_site, duration, language
from controller.cli.client import ask_simulator
from controller.cli.fault_file import fault_of
from controller.cli.output import print_json, say
from controller.cli.site_folder import load_site
from controller.core.errors import EnvironmentProblem
from controller.core.site import Site
from controller.core.text import Language, Text
from controller.settings.document import Tree
from simulator.faults.kinds import KINDS, Number, Parameter
from simulator.faults.spelling import as_data

_EXAMPLE = "tidewatt fault config/sites/demo trip plant.chiller_1 --for 20min"
_END = "end"
_WHOLE_SITE = Text("whole site", "全站")
_NOTHING = Text("nothing is wrong at the simulated plant", "模拟机房无故障")
_NOTHING_ENDED = Text("there was nothing of that to end", "没有可结束的此类故障")
_UNTIL = Text("until {}", "至 {}")
_FROM = Text("from {}", "自 {} 起")
_ENDED = Text("ended", "已结束")
_BEGUN = Text("begun", "已开始")
_TO_COME = Text("to come", "待发生")
_DONE = Text("done", "已执行")


def register(commands: Any) -> None:
    parser = add_command(
        commands, "fault", "make something go wrong at the simulated plant of a site, or list and end what is", _EXAMPLE
    )
    parser.epilog = (
        f"{parser.epilog}\n  tidewatt fault config/sites/demo fire\n  tidewatt fault config/sites/demo end all\n\n"
        f"kinds: {', '.join(KINDS)}\n(docs/simulator-faults.md says what each does and takes)"
    )
    add_site(parser)
    parser.add_argument(
        "kind", nargs="?", metavar="KIND", help="what goes wrong; 'end' ends what is named next, or all"
    )
    parser.add_argument("target", nargs="?", metavar="TARGET", help="a point, equipment, device or link of the site")
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="how much, like rate=0.5")
    parser.add_argument("--for", dest="lasting", type=duration, metavar="TIME", help="plant time until it is mended")
    parser.add_argument("--after", type=duration, metavar="TIME", help="plant time until it begins (at once)")
    add_json(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site)
    if arguments.kind is None:
        return _list(arguments, site)
    if arguments.kind == _END:
        return _end(arguments, site)
    return _begin(arguments, site)


def _list(arguments: argparse.Namespace, site: Site) -> int:
    answer = ask_simulator(arguments.site, "faults")
    if arguments.json:
        print_json(answer)
        return Exit.OK
    for each in answer["on"]:
        say(told(each, site.zone, language()))
    for each in answer["to_come"]:
        say(f"{told(each, site.zone, language())} ({_TO_COME.in_language(language())})")
    if not answer["on"] and not answer["to_come"]:
        say(_NOTHING.in_language(language()))
    return Exit.OK


def _end(arguments: argparse.Namespace, site: Site) -> int:
    ended = ask_simulator(arguments.site, "end_faults", what=arguments.target or "all")
    if arguments.json:
        print_json(ended)
        return Exit.OK
    for each in ended:
        say(f"{told(each, site.zone, language())}: {_ENDED.in_language(language())}")
    if not ended:
        say(_NOTHING_ENDED.in_language(language()))
    return Exit.OK


def _begin(arguments: argparse.Namespace, site: Site) -> int:
    now = datetime.fromisoformat(ask_simulator(arguments.site, "faults")["now"]).astimezone(UTC)
    target, parameters = _without_target(arguments.target, arguments.parameters)
    entry: dict[str, Tree] = {"kind": arguments.kind, **_parameters(parameters)}
    if target is not None:
        entry["target"] = target
    if arguments.lasting is not None:
        entry["duration"] = _spelt(arguments.lasting)
    if arguments.after is not None:
        entry["start"] = _spelt(arguments.after)
    fault = ask_simulator(arguments.site, "add_fault", fault=as_data(fault_of(entry, site, now)))
    if arguments.json:
        print_json(fault)
        return Exit.OK
    what = _DONE if KINDS[fault["kind"]].is_once else _BEGUN if arguments.after is None else _TO_COME
    say(f"{told(fault, site.zone, language())}: {what.in_language(language())}")
    return Exit.OK


def _without_target(target: str | None, parameters: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """What stands where the target would, where there can be but one."""
    return (None, [target, *parameters]) if target is not None and "=" in target else (target, parameters)


def _parameters(pairs: Sequence[str]) -> dict[str, Tree]:
    """Raises EnvironmentProblem for what is no NAME=VALUE."""
    found: dict[str, Tree] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise EnvironmentProblem(f"{pair} says nothing; write NAME=VALUE, like rate=0.5")
        found[name] = _scalar(text)
    return found


def _scalar(text: str) -> bool | float | str:
    if text in ("true", "false"):
        return text == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return number if isfinite(number) else text


def _spelt(span: timedelta) -> str:
    return f"{span.total_seconds():.3f}".rstrip("0").rstrip(".") + "s"


def told(fault: Mapping[str, Any], zone: ZoneInfo, chosen: Language) -> str:
    """One line for a fault."""
    kind = KINDS[fault["kind"]]
    title = kind.title.in_language(chosen)
    how = "".join(f" {name}={_shown(value, kind.parameters[name])}" for name, value in fault["parameters"].items())
    since = _FROM.in_language(chosen).format(_local(fault["begins"], zone))
    until = "" if fault["ends"] is None else f" {_UNTIL.in_language(chosen).format(_local(fault['ends'], zone))}"
    return f"{fault['target'] or _WHOLE_SITE.in_language(chosen)}: {title} ({fault['kind']}{how}) {since}{until}"


def _shown(value: bool | float | str, parameter: Parameter) -> str:
    """As it could be written."""
    if isinstance(value, bool | str):
        return str(value).lower()
    return f"{value:g}s" if isinstance(parameter, Number) and parameter.unit == "duration" else f"{value:g}"


def _local(epoch: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}"

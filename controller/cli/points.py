"""tidewatt points SITE list|read|write|relinquish|watch: commissioning, point by point, through the running daemon."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli import raw, words
from controller.cli.arguments import Exit, add_command, add_for, add_json, add_site, add_who, duration, language, who_of
from controller.cli.client import DaemonNotRunning, ask
from controller.cli.output import print_json, say
from controller.cli.readback import Readback
from controller.cli.site_folder import load_site
from controller.core.errors import EnvironmentProblem
from controller.core.text import Text
from controller.runtime.clock import RealClock

WATCH_EVERY_S = 1.0
# Each is a question of its own to its device, which has its polls to answer beside it.
MOST_WATCHED_RAW = 20
WAIT_FOR_VERDICT = timedelta(seconds=30)
AGE = Text(", {} old", "，{} 前")


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "points",
        "list, read, command and watch points",
        "tidewatt points config/sites/demo write garage.group_1.brightness_command 0.8 --for 10min",
    )
    add_site(parser)
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|read|write|relinquish|watch")
    _register_listing(actions)
    _register_reading(actions)
    _register_writing(actions)
    _register_relinquishing(actions)
    _register_watching(actions)


def _register_listing(actions: Any) -> None:
    parser = add_command(
        actions, "list", "list every point of the site, from its files", "tidewatt points config/sites/demo list"
    )
    add_json(parser)
    parser.set_defaults(execute=_list)


def _register_reading(actions: Any) -> None:
    parser = add_command(
        actions,
        "read",
        "print present values, qualities and ages",
        "tidewatt points config/sites/demo read 'garage.*.brightness' 'plant.tank_1.*'",
    )
    parser.add_argument("points", nargs="*", metavar="POINT", help="ids or patterns such as 'garage.*' (all)")
    _add_raw(parser)
    add_json(parser)
    parser.set_defaults(execute=_read)


def _register_writing(actions: Any) -> None:
    parser = add_command(
        actions,
        "write",
        "command a point as an operator, with an end",
        "tidewatt points config/sites/demo write garage.group_1.brightness_command 0.8 --for 10min --reason cleaning",
    )
    parser.add_argument("point", metavar="POINT")
    parser.add_argument("value", metavar="VALUE", help="a number in the point's unit (fractions as 0..1), or on, off")
    parser.add_argument(
        "--for", dest="lasting", type=duration, required=True, metavar="TIME", help="when the command ends: 10min, 2h"
    )
    parser.add_argument("--reason", default="", help="kept with the command and shown by explain")
    parser.add_argument(
        "--wait",
        type=duration,
        default=WAIT_FOR_VERDICT,
        metavar="TIME",
        help="how long to wait for the verdict and the read-back (30s); 0s: do not wait",
    )
    add_who(parser)
    add_json(parser)
    parser.set_defaults(execute=_write)


def _register_relinquishing(actions: Any) -> None:
    parser = add_command(
        actions,
        "relinquish",
        "end your command before its time; take back what somebody overrode",
        "tidewatt points config/sites/demo relinquish garage.group_1.brightness_command",
    )
    parser.add_argument("point", metavar="POINT")
    add_who(parser)
    parser.set_defaults(execute=_relinquish)


def _register_watching(actions: Any) -> None:
    parser = add_command(
        actions,
        "watch",
        "print points whenever they change, until Ctrl-C",
        "tidewatt points config/sites/demo watch 'garage.*.motion' --for 10min",
    )
    parser.add_argument("points", nargs="+", metavar="POINT", help="ids or patterns such as 'garage.*'")
    _add_raw(parser)
    add_for(parser, "stop after this long")
    add_json(parser)
    parser.set_defaults(execute=_watch)


def _add_raw(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--raw", action="store_true", help="ask the devices now: the value as the wire has it, and the round trip"
    )


def _list(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site)
    present = _present(arguments)
    rows = [
        {
            "point": str(point.id),
            "kind": point.kind.value,
            "unit": point.unit.value,
            "writable": point.writable is not None,
            "class": site.equipment.get(point.equipment),
            "availability": present.get(point.id),
        }
        for point in site.points.values()
    ]
    if arguments.json:
        print_json(rows)
        return Exit.OK
    for row in rows:
        writable, state = "writable" if row["writable"] else "", row["availability"]
        doubt = "" if state in (None, "auto") else words.term(str(state), language())
        say(f"{row['point']:<58} {row['kind']:<9} {row['unit']:<9} {writable:<9} {doubt}".rstrip())
    return Exit.OK


def _present(arguments: argparse.Namespace) -> dict[str, str]:
    """How the equipment of each point stands; known only to a daemon."""
    try:
        return {point: shown["availability"] for point, shown in ask(arguments.site, "points").items()}
    except DaemonNotRunning:
        return {}


def _read(arguments: argparse.Namespace) -> int:
    chosen = _chosen(ask(arguments.site, "points"), arguments.points)
    if arguments.raw:
        well = raw.print_raw(arguments.site, chosen, as_json=arguments.json)
        return Exit.OK if well else Exit.ENVIRONMENT
    if arguments.json:
        print_json(chosen)
        return Exit.OK
    for point, shown in chosen.items():
        say(_line(point, shown))
    return Exit.OK


def _write(arguments: argparse.Namespace) -> int:
    value = parsed_value(arguments.value)
    readback = Readback(arguments.site, arguments.point, value, RealClock())
    answer = ask(
        arguments.site,
        "write",
        point=arguments.point,
        value=value,
        for_s=arguments.lasting.total_seconds(),
        who=who_of(arguments),
        reason=arguments.reason,
    )
    waits = arguments.wait > timedelta(0)
    if arguments.json:
        if waits:
            readback.follow(arguments.wait.total_seconds(), lambda _: None)
        print_json(readback.as_data() if waits else answer)
        return _exit_of(readback, waits=waits)
    winner = answer["winner"]
    lasting = words.lasting(arguments.lasting.total_seconds())
    say(f"{arguments.point}: commanded for {lasting}, at level 8 (operator)", flush=True)
    if winner and winner["priority"] < 8:
        say(f"it is held back by {winner['source']} at level {winner['priority']}")
    if waits:
        readback.follow(arguments.wait.total_seconds(), lambda why: say(f"  {why}", flush=True))
        for line in readback.told():
            say(f"  {line}")
    say(f"what becomes of it: {words.program()} explain {arguments.site} {arguments.point}")
    return _exit_of(readback, waits=waits)


def _exit_of(readback: Readback, *, waits: bool) -> Exit:
    """A command that waits for its time is well; one that its device did not take is not."""
    return Exit.ENVIRONMENT if waits and readback.verdict not in ("owned", "pending") else Exit.OK


def _relinquish(arguments: argparse.Namespace) -> int:
    who = who_of(arguments)
    answer = ask(arguments.site, "relinquish", point=arguments.point, who=who)
    ended = "your command has ended" if answer["there_was_a_command"] else "there was no operator's command"
    say(f"{arguments.point}: {ended}")
    return Exit.OK


def _watch(arguments: argparse.Namespace) -> int:
    zone = ZoneInfo(ask(arguments.site, "status")["time_zone"])
    look = _raw_look(arguments) if arguments.raw else _look(arguments)
    seen: dict[str, tuple[Any, ...]] = {}
    pause = threading.Event()
    rounds = None if arguments.lasting is None else int(arguments.lasting.total_seconds() / WATCH_EVERY_S) + 1
    while rounds is None or rounds > 0:
        for point, shown in look().items():
            state = tuple(shown.get(key) for key in ("value", "quality", "raw", "error"))
            if seen.get(point) != state:
                seen[point] = state
                if arguments.json:
                    say(json.dumps({"point": point, **shown}, ensure_ascii=False), flush=True)
                else:
                    say(_watched(point, shown, zone), flush=True)
        rounds = None if rounds is None else rounds - 1
        pause.wait(WATCH_EVERY_S)
    return Exit.OK


def _look(arguments: argparse.Namespace) -> Callable[[], dict[str, Any]]:
    return lambda: _chosen(ask(arguments.site, "points"), arguments.points)


def _raw_look(arguments: argparse.Namespace) -> Callable[[], dict[str, Any]]:
    chosen = list(_chosen(ask(arguments.site, "points"), arguments.points))
    if len(chosen) > MOST_WATCHED_RAW:
        raise EnvironmentProblem(
            f"--raw asks the device anew for each point, every second: name at most {MOST_WATCHED_RAW}, "
            f"not {len(chosen)}"
        )
    return lambda: {point: raw.answer_or_refusal(arguments.site, point) for point in chosen}


def _watched(point: str, shown: dict[str, Any], zone: ZoneInfo) -> str:
    if "error" in shown:
        return f"{'':8}  {raw.line(point, shown)}"
    at = datetime.fromisoformat(shown["timestamp"]).astimezone(zone)
    return f"{at:%H:%M:%S}  {raw.line(point, shown) if 'raw' in shown else _line(point, shown)}"


def _chosen(points: dict[str, Any], patterns: list[str]) -> dict[str, Any]:
    chosen = {
        point: shown
        for point, shown in points.items()
        if not patterns or any(fnmatchcase(point, pattern) for pattern in patterns)
    }
    for pattern in patterns:
        if not any(fnmatchcase(point, pattern) for point in points):
            raise EnvironmentProblem(f"no point of this site is called {pattern}; see: tidewatt points SITE list")
    return chosen


def _line(point: str, shown: dict[str, Any]) -> str:
    value = words.value(shown["value"], shown["unit"], language())
    quality = words.term(shown["quality"], language())
    quality = f"{quality} ({shown['reason']})" if shown["reason"] else quality
    old = AGE.in_language(language()).format(words.lasting(shown["age_s"]))
    doubt = "" if shown["availability"] == "auto" else f"  [{words.term(shown['availability'], language())}]"
    return f"{point:<58} {value:>12}  {quality}{old}{doubt}"


def parsed_value(text: str) -> float | int | bool | str:
    """on and off, true and false, numbers; anything else stays text and is refused by the daemon where it must be."""
    lowered = text.lower()
    if lowered in ("on", "true"):
        return True
    if lowered in ("off", "false"):
        return False
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number

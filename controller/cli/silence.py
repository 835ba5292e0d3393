"""tidewatt commission SITE silence DEVICE|POINT: measure what a device does when we fall silent."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import Any

from controller.cli import words
from controller.cli.arguments import Exit, add_command, language
from controller.cli.client import RequestRefused, ask
from controller.cli.output import complain, say
from controller.cli.points import parsed_value
from controller.cli.site_folder import load_site
from controller.core.commissioning import Result
from controller.core.commissioning_items import silence_tests
from controller.core.errors import EnvironmentProblem
from controller.core.text import Language, Text

LOOK_EVERY_S = 0.5
TELL_EVERY_S = 10.0
_OVER = ("done", "aborted")

_BEGUN = Text("{}: {:g} s are declared; it is given up after {:g} s", "{}：声明为 {:g} 秒；最长观察 {:g} 秒")
_HELD = Text("held at what it does: {}", "保持当前值：{}")
_PHASES = {
    "taking": Text("taking it", "接管中"),
    "silent": Text("saying nothing", "停止刷新"),
    "letting go": Text("letting go", "释放中"),
    "done": Text("done", "完成"),
    "aborted": Text("ended without a result", "中止，无结果"),
}
_SILENT_FOR = Text("silent for {:.0f} s", "已停止刷新 {:.0f} 秒")
_DROPPED = Text("{} dropped after {:.1f} s", "{} 在 {:.1f} 秒后被放弃")
_RECORDED = Text("{}, measured {}: recorded", "{}，实测 {}：已记录")
_STOPPING = Text("stopping; what is held is let go", "正在停止；已持有的点将被释放")


def register(actions: Any) -> None:
    parser = add_command(
        actions,
        "silence",
        "measure what a device does when nothing is said to it, and record it",
        'tidewatt commission config/sites/demo silence garage.group_1.remote --who "Li Na"',
    )
    parser.add_argument("name", metavar="DEVICE|POINT", help="a device for all of its tests of silence, or one point")
    parser.add_argument(
        "--value", help="what to hold a point without a remote bit at: another value than it has by itself"
    )
    parser.add_argument("--who", required=True, metavar="NAME", help="who measures")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    tests = silence_tests(load_site(arguments.site), arguments.name)
    if not tests:
        raise EnvironmentProblem(
            f"nothing is declared of what {arguments.name} does when we fall silent; "
            "see: tidewatt commission SITE sheet"
        )
    results = [_measured(arguments, test) for test in tests]
    return Exit.OK if all(result == Result.PASSED for result in results) else Exit.ENVIRONMENT


def _measured(arguments: argparse.Namespace, test: str) -> str | None:
    """The result that was recorded; None where there is none. Ctrl-C lets go and then ends."""
    value = None if arguments.value is None else parsed_value(arguments.value)
    try:
        begun = ask(arguments.site, "silence", item=test, who=arguments.who, value=value)
    except RequestRefused as error:
        complain(f"{test}: {error}")
        return None
    try:
        return _follow(arguments.site, begun)
    except KeyboardInterrupt:
        say(f"  {_STOPPING.in_language(language())}")
        ask(arguments.site, "silence_stop")
        _follow(arguments.site, begun)
        raise


def _follow(site: Path, begun: dict[str, Any]) -> str | None:
    teller, pause = _Teller(begun, language()), threading.Event()
    while True:
        progress = ask(site, "silence_progress")
        if progress is None or progress["item"] != begun["item"]:
            raise EnvironmentProblem(f"{begun['item']}: the daemon does not measure it any more")
        teller.tell(progress)
        if progress["phase"] in _OVER:
            return None if progress["record"] is None else progress["record"]["result"]
        pause.wait(LOOK_EVERY_S)


class _Teller:
    """Each phase and each drop once, and every ten seconds how long it has been silent."""

    def __init__(self, begun: dict[str, Any], chosen: Language) -> None:
        self._chosen: Language = chosen
        self._phase = ""
        self._told: set[str] = set()
        self._told_at = 0.0
        head = _BEGUN.in_language(chosen).format(begun["item"], begun["declared_s"], begun["limit_s"])
        held = ", ".join(f"{point} {_shown(value, chosen)}" for point, value in begun["commanded"].items())
        say(head, flush=True)
        say(f"  {_HELD.in_language(chosen).format(held)}", flush=True)

    def tell(self, progress: dict[str, Any]) -> None:
        if progress["phase"] != self._phase:
            self._phase = progress["phase"]
            self._say(_PHASES[self._phase].in_language(self._chosen))
        for point, by in progress["dropped"].items():
            if by is not None and point not in self._told:
                self._told.add(point)
                self._say(_DROPPED.in_language(self._chosen).format(point, by))
        if self._phase == "silent" and progress["seconds"] - self._told_at >= TELL_EVERY_S:
            self._told_at = progress["seconds"]
            self._say(_SILENT_FOR.in_language(self._chosen).format(progress["seconds"]))
        if self._phase in _OVER:
            self._tell_end(progress)

    def _tell_end(self, progress: dict[str, Any]) -> None:
        self._say(progress["note"][self._chosen])
        record = progress["record"]
        if record is not None:
            result = words.term(record["result"], self._chosen)
            self._say(_RECORDED.in_language(self._chosen).format(result, record["measured"]))

    def _say(self, line: str) -> None:
        say(f"  {line}", flush=True)


def _shown(value: Any, chosen: Language) -> str:
    return words.value(value, "none", chosen)

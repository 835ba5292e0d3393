"""tidewatt sunclock-tasks FILE list|serve|escalate: who has set the day's lamp times, and who has not."""

from __future__ import annotations

import argparse
import asyncio
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

from controller.cli.arguments import Exit, add_command, add_for, add_json, language
from controller.cli.output import print_json, say
from controller.cli.secret_text import SECRET_HELP, secret_text
from controller.core.text import Text
from controller.runtime.clock import RealClock
from controller.sunclock.pushing import escalate
from controller.sunclock.robot import Robot
from controller.sunclock.tasks import Task, Tasks

_EXAMPLE = "tidewatt sunclock-tasks tasks.db"
_NOTHING = Text("all is done", "全部完成")
_LISTENS = Text("answers are taken at http://{}:{}/ ; Ctrl-C ends", "在 http://{}:{}/ 接收完成登记；Ctrl-C 结束")
_ESCALATED = Text("{} overdue tasks told", "已上报 {} 项逾期任务")
_STATES = {
    "not sent": Text("NOT SENT", "未发出"),
    "asked": Text("asked", "待完成"),
    "overdue": Text("OVERDUE", "逾期"),
    "escalated": Text("ESCALATED", "已上报"),
    "done": Text("done", "完成"),
}


def register(commands: Any) -> None:
    parser = add_command(commands, "sunclock-tasks", "who has set the day's lamp times, and who has not", _EXAMPLE)
    parser.add_argument("file", type=Path, metavar="FILE", help="the file of --tasks")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = add_command(actions, "list", "what is not done yet", f"{_EXAMPLE} list")
    listing.add_argument("--all", dest="everything", action="store_true", help="with what is done")
    add_json(listing)
    listing.set_defaults(execute=_list)
    server = add_command(actions, "serve", "take answers by link", f"{_EXAMPLE} serve --listen 127.0.0.1:8090")
    server.add_argument(
        "--listen", type=_address, default="127.0.0.1:8090", metavar="HOST:PORT", help="port 0: any free"
    )
    add_for(server, "stop after this time")
    server.set_defaults(execute=_serve)
    telling = add_command(
        actions,
        "escalate",
        "tell somebody else of what is due and not done, once",
        f"{_EXAMPLE} escalate --to env:CHIEF",
    )
    telling.add_argument("--to", required=True, metavar="REF", help=f"the group robot: {SECRET_HELP}")
    telling.set_defaults(execute=_escalate)


def _list(arguments: argparse.Namespace) -> int:
    tasks = Tasks(arguments.file, make=False)
    found = tasks.everything() if arguments.everything else tasks.undone()
    if arguments.json:
        print_json([_as_data(task) for task in found])
        return Exit.OK
    spoken = language()
    for task in found:
        who = f" {task.who}" if task.who else ""
        done = "" if task.done is None else f" {task.done:%Y-%m-%d %H:%MZ}{who}"
        say(f"{task.day} {task.place}: {_STATES[_state(task)].in_language(spoken)}{done}")
    if not found:
        say(_NOTHING.in_language(spoken))
    return Exit.OK


def _serve(arguments: argparse.Namespace) -> int:
    asyncio.run(_served(Tasks(arguments.file, make=True), arguments.listen, arguments.lasting))
    return Exit.OK


async def _served(tasks: Tasks, listen: tuple[str, int], lasting: timedelta | None) -> None:
    from controller.sunclock.answers import serve  # aiohttp: only the server pays

    host, port = listen
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if lasting is not None:
        loop.call_later(lasting.total_seconds(), stop.set)

    def told(bound: int) -> None:
        say(_LISTENS.in_language(language()).format(host, bound), flush=True)

    await serve(tasks, RealClock(), host, port, stop, told)


def _escalate(arguments: argparse.Namespace) -> int:
    clock = RealClock()
    robot = Robot(secret_text(arguments.to), clock)
    count = asyncio.run(escalate(Tasks(arguments.file, make=False), robot, clock))
    say(_ESCALATED.in_language(language()).format(count))
    return Exit.OK


def _state(task: Task) -> str:
    if task.done is not None:
        return "done"
    if task.escalated is not None:
        return "escalated"
    if task.due <= RealClock().now():
        return "overdue"
    return "asked" if task.sent is not None else "not sent"


def _as_data(task: Task) -> dict[str, Any]:
    """Without the word: who reads a list may not answer for others."""
    moments = {"due": task.due, "sent": task.sent, "done": task.done, "escalated": task.escalated}
    told = {name: None if moment is None else moment.isoformat() for name, moment in moments.items()}
    return {"place": task.place, "date": task.day.isoformat(), "state": _state(task), **told, "who": task.who}


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST:PORT, like 127.0.0.1:8090")
    return host.strip("[]"), int(port)

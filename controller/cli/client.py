"""A command's side of the control socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.cli.words import program
from controller.core.errors import EnvironmentProblem, TidewattError
from controller.runtime.control_protocol import SIMULATOR_SOCKET, VERSION

ANSWER_WITHIN_S = 10.0


class DaemonNotRunning(EnvironmentProblem):
    """Nobody answers at the site's control socket."""


class SimulatorNotRunning(EnvironmentProblem):
    """Nobody answers at the socket of the site's simulator."""


class RequestRefused(TidewattError):
    """The daemon does not do what was asked; its words say why."""


def ask(site: Path, command: str, *, within_s: float = ANSWER_WITHIN_S, **request: Any) -> Any:
    """The running daemon's answer. Raises DaemonNotRunning or RequestRefused."""
    path = site / "state" / "control.sock"
    # A daemon goes on while its files are edited, moved or lost; then, of all times, it must be reached.
    if not (site / "site.yaml").is_file() and not path.exists():
        raise EnvironmentProblem(f"{site} is no site: there is no site.yaml in it")
    try:
        return _answer(path, {"command": command, **request}, "daemon", within_s)
    except (FileNotFoundError, ConnectionError) as error:
        raise DaemonNotRunning(
            f"no daemon answers for {site}; start it with: {program()} run {site}"
            " (one that is just letting go does not answer any more)"
        ) from error


def ask_simulator(site: Path, command: str, **request: Any) -> Any:
    """The answer of the site's simulator. Raises SimulatorNotRunning or RequestRefused."""
    try:
        return _answer(site / "state" / SIMULATOR_SOCKET, {"command": command, **request}, "simulator", ANSWER_WITHIN_S)
    except (FileNotFoundError, ConnectionError) as error:
        raise SimulatorNotRunning(
            f"no simulator answers for {site}; start one with: {program()} simulate {site}, or {program()} demo"
        ) from error


def _answer(path: Path, request: Mapping[str, Any], who: str, within_s: float) -> Any:
    """Raises FileNotFoundError and ConnectionError where nobody is there."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(within_s)
            connection.connect(str(path))
            connection.sendall(json.dumps({"tidewatt": VERSION, **request}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
    except (FileNotFoundError, ConnectionError):
        raise
    except TimeoutError as error:
        raise EnvironmentProblem(f"{path}: the {who} did not answer within {within_s:g} s") from error
    except OSError as error:
        raise EnvironmentProblem(f"{path}: {error.strerror or error}") from error
    if not line:
        raise EnvironmentProblem(f"{path}: the {who} closed the connection without an answer")
    answer = json.loads(line)
    if not answer["ok"]:
        raise RequestRefused(answer["error"])
    return answer["answer"]

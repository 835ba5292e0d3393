"""A command's side of the control socket."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from controller.cli.words import program
from controller.core.errors import EnvironmentProblem, TidewattError
from controller.runtime.control_socket import VERSION

ANSWER_WITHIN_S = 10.0


class DaemonNotRunning(EnvironmentProblem):
    """Nobody answers at the site's control socket."""


class RequestRefused(TidewattError):
    """The daemon does not do what was asked; its words say why."""


def ask(site: Path, command: str, *, within_s: float = ANSWER_WITHIN_S, **request: Any) -> Any:
    """The running daemon's answer. Raises DaemonNotRunning or RequestRefused."""
    path = site / "state" / "control.sock"
    # A daemon goes on while its files are edited, moved or lost; then, of all times, it must be reached.
    if not (site / "site.yaml").is_file() and not path.exists():
        raise EnvironmentProblem(f"{site} is no site: there is no site.yaml in it")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(within_s)
            connection.connect(str(path))
            connection.sendall(json.dumps({"tidewatt": VERSION, "command": command, **request}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
    except (FileNotFoundError, ConnectionError) as error:
        raise DaemonNotRunning(
            f"no daemon answers for {site}; start it with: {program()} run {site}"
            " (one that is just letting go does not answer any more)"
        ) from error
    except TimeoutError as error:
        raise EnvironmentProblem(f"{path}: the daemon did not answer within {within_s:g} s") from error
    except OSError as error:
        raise EnvironmentProblem(f"{path}: {error.strerror or error}") from error
    if not line:
        raise EnvironmentProblem(f"{path}: the daemon closed the connection without an answer")
    answer = json.loads(line)
    if not answer["ok"]:
        raise RequestRefused(answer["error"])
    return answer["answer"]

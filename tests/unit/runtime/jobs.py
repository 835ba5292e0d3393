"""Jobs for a worker process, well and ill behaved."""

from __future__ import annotations

import os
import signal
from typing import Any


def double(value: float) -> float:
    return 2 * value


def process_of(_: Any) -> int:
    print("what a library prints")  # noqa: T201
    return os.getpid()


def fail(_: Any) -> None:
    raise ZeroDivisionError("a mistake in a plan")


def crash(_: Any) -> None:
    os._exit(1)


def hang(_: Any) -> None:
    while True:
        pass


def stop(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def hoard(size: int) -> int:
    return len(bytearray(size))


def answer_that_cannot_travel(_: Any) -> Any:
    return lambda: None

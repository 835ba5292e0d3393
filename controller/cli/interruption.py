"""Being asked to stop while something long is computed: at the next good moment, so that nothing is lost."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruption() -> Generator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM has asked to stop; a second one stops at once. An ignored Ctrl-C stays ignored."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        del frame
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    numbers = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) is not signal.SIG_IGN]
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

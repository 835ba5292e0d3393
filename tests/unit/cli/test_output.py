"""What is told while something is done must not keep it from being done."""

from __future__ import annotations

from contextlib import redirect_stderr, suppress
from pathlib import Path

from controller.cli.run import TellProgress
from controller.core.point import PointId
from controller.runtime.letting_go import Releasing


def test_letting_go_does_not_fail_by_a_line_that_cannot_be_written() -> None:
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - closing it fails, too
    with redirect_stderr(full):
        progress = TellProgress()
        progress(Releasing((PointId("garage.group_1.remote"),), 1.0, 5.0))
        progress(Releasing((), 2.0, 5.0))
    with suppress(OSError):
        full.close()

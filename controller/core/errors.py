"""Everything that can go wrong, grouped by what the caller should do about it.

TidewattError
    ConfigError             start-up only: every problem at once; exit code 2
    EnvironmentProblem      port, lock or disk; one clear line; exit code 3
    DeviceError             one link or device; supervised: back off and try again
        ConnectFailed
        DeviceTimeout       also a TimeoutError
        ProtocolViolation
        DeviceRefused       permanent (credentials, model): stop trying, alarm
    HistorianError          buffered and tried again; never reaches the scan
        RemoteUnreachable   the second database does not take anything now: later again
        RecordsRefused      it will never take these records: counted, not sent again
BadInput                    inside the core only: a strategy cannot act and lets go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from controller.core.file_state import FileState


class TidewattError(Exception):
    """Root of what Tidewatt raises on purpose."""


class Problem(NamedTuple):
    """One defect of a site folder, told so that its author can mend it."""

    file: Path
    line: int
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.wrong}; {self.right}"


class ConfigError(TidewattError):
    """files: what was looked at, as it was then; whoever changes nothing of it gets the same problems."""

    def __init__(self, problems: Sequence[Problem], files: Mapping[Path, FileState] | None = None) -> None:
        self.files: Mapping[Path, FileState] = {} if files is None else files
        self.problems = tuple(sorted(problems, key=lambda problem: (str(problem.file), problem.line)))
        super().__init__("\n".join(map(str, self.problems)))


class EnvironmentProblem(TidewattError):
    """What the machine refuses us: a port, a lock, a disk."""


class DeviceError(TidewattError):
    """A link or device did not do what was asked of it."""

    def __init__(self, device: str, operation: str, cause: str) -> None:
        self.device = device
        self.operation = operation
        self.cause = cause
        super().__init__(f"{device}: {operation}: {cause}")


class ConnectFailed(DeviceError):
    pass


class DeviceTimeout(DeviceError, TimeoutError):
    pass


class ProtocolViolation(DeviceError):
    pass


class DeviceRefused(DeviceError):
    """Will not heal by itself: wrong credentials, wrong model."""


class HistorianError(TidewattError):
    pass


class RemoteUnreachable(HistorianError):
    """ask_again_after: seconds that the database asked to be left alone, 0 if it said nothing."""

    def __init__(self, cause: str, ask_again_after: float = 0.0) -> None:
        super().__init__(cause)
        self.ask_again_after = ask_again_after


class RecordsRefused(HistorianError):
    pass


class BadInput(Exception):
    """A strategy lacks an input that it cannot do without; caught by the shell, which lets go."""

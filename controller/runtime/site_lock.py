"""One daemon a site: a lock on state/lock that ends with the process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from controller.core.errors import EnvironmentProblem


@contextmanager
def site_lock(state: Path) -> Generator[None]:
    """Hold the site. Raises EnvironmentProblem where another process has it or the folder cannot be written."""
    try:
        state.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EnvironmentProblem(f"{state}: state cannot be kept here: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            raise EnvironmentProblem(
                f"{state.parent}: another Tidewatt (process {holder}) runs this site; a second one must not write"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)

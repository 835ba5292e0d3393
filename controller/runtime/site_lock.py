"""One daemon a site: a lock on state/lock that ends with the process."""

from __future__ import annotations

import errno
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
        descriptor = _opened(state / "lock")
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
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_RDWR:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """On a disk that can only be read, what is there can be locked all the same."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES) or not path.exists():
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

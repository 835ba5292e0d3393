"""How a file was when somebody looked: two looks that are alike mean that nobody has written it between them.

Never which of two is newer: the clock of a file system may be set, and a copy may bring its old time along.
"""

from __future__ import annotations

import os
from typing import NamedTuple, Self


class FileState(NamedTuple):
    """modified: ns, by the file system's clock. size: bytes. mode, owner, group: who may read it. error: why nothing
    could be seen (errno), 0 where something could."""

    modified: int = 0
    size: int = 0
    mode: int = 0
    owner: int = 0
    group: int = 0
    error: int = 0

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        return cls(status.st_mtime_ns, status.st_size, status.st_mode, status.st_uid, status.st_gid)

    @classmethod
    def unseen(cls, error: OSError) -> Self:
        """Of a file that is not there, or cannot be looked at."""
        return cls(error=error.errno or -1)

"""What a dead daemon left at the devices: its store and history, also where the disk can only be read."""

from __future__ import annotations

import os
from pathlib import Path

from controller.core.ports import Clock, Historian
from controller.core.site import Site
from controller.historian.memory import MemoryHistorian
from controller.historian.sqlite import SqliteHistorian
from controller.runtime.daemon import Daemon, Progress
from controller.runtime.site_lock import site_lock
from controller.runtime.store import Store
from controller.runtime.store_file import contents_of


def takes_changes(state: Path) -> bool:
    return os.access(state, os.W_OK)


def daemon_of(site: Site, clock: Clock) -> Daemon:
    """To release with. On a disk that can only be read it lives in memory, and what it does is not kept.

    Raises EnvironmentProblem where the store cannot be read either.
    """
    state = site.folder / "state"
    if takes_changes(state):
        historian: Historian = SqliteHistorian(state / "history.db", clock)
        return Daemon(site, clock, historian, Store(state / "store.db", clock))
    return Daemon(site, clock, MemoryHistorian(), Store(None, clock, contents_of(state / "store.db")))


async def let_go_on_a_read_only_disk(site: Site, clock: Clock, progress: Progress) -> None:
    """For a start that fails there: what the run before held goes back first. Raises EnvironmentProblem."""
    state = site.folder / "state"
    if (state / "store.db").exists() and not takes_changes(state):
        with site_lock(state):
            await daemon_of(site, clock).release(progress)

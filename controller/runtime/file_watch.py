"""Notices that the site's files are no longer those that were read, and asks for a reload once they stand still.

Looked at in a thread, beside the scan. How long they have stood still our own clock says; the times of files are only
compared for being the same. What was refused is read again only when something has changed since.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from controller.core.file_state import FileState
from controller.core.ports import Clock
from controller.runtime.file_states import states_of
from controller.runtime.reload import ReloadRefused, Reloads

log = logging.getLogger(__name__)

# Real seconds, as people and programs need them that write files.
LOOK_EVERY_S = 1.0
SETTLED_AFTER_S = 2.0
WHO = "file watch"


class FileWatch:
    def __init__(self, reloads: Reloads, clock: Clock) -> None:
        self._reloads = reloads
        self._clock = clock
        self._found: Mapping[Path, FileState] = {}
        self._found_at = 0.0

    async def run(self) -> None:
        thread = ThreadPoolExecutor(1, thread_name_prefix="file watch")
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                with self._clock.outside():
                    found = await asyncio.get_running_loop().run_in_executor(thread, states_of, self._reloads.read)
                if self._is_settled(found) and found != self._reloads.read:
                    await self._ask()
        finally:
            # A disk that hangs must not hold up whoever ends us.
            thread.shutdown(wait=False)

    def _is_settled(self, found: Mapping[Path, FileState]) -> bool:
        """Whether nobody has written for so long: several files may be written one after another."""
        now = self._clock.wire_time()
        if found != self._found:
            self._found, self._found_at = found, now
        return now - self._found_at >= SETTLED_AFTER_S

    async def _ask(self) -> None:
        try:
            await self._reloads.request(WHO, must_stand_still=True)
        except ReloadRefused as error:
            log.debug("the files have changed, asked again at the next look: %s", error)

"""A disk that takes no intent: everything is let go in order, and taken again by itself once the disk works.

No byte leaves for a device before the store knows of it. Where the store refuses (full, read-only, locked for longer
than it waits) nothing can be commanded, so what is held goes back to the original controls: that needs no disk.
Authority stays as it is; polling, showing and alarms go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from controller.core.alarm_catalogue import STORE_FAILED
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.inhibition import Inhibition
from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.site import Site
from controller.core.text import Text
from controller.runtime.image import FrozenImage
from controller.runtime.journal import Journal
from controller.runtime.store import Store
from controller.runtime.store_copy import SUBJECT

log = logging.getLogger(__name__)

# Seconds between two attempts; doubled where the disk worked only for a while, so that a disk with room for some
# intents and not for all does not move the plant to and fro.
RETRY_FIRST_S = 10.0
RETRY_LONGEST_S = 600.0
WORKS_AFTER_S = 600.0

_REASON = Text(
    "let go: the disk takes nothing, and nothing is written that a restart would not know of",
    "已释放: 磁盘无法写入, 重启后无法追溯的命令不予下发",
)


class DiskWatch:
    """One of the scan's inhibitors."""

    def __init__(
        self, site: Site, clock: Clock, store: Store, journal: Journal, look_early: Callable[[], None]
    ) -> None:
        """look_early: asks for a scan, now."""
        self._clock = clock
        self._store = store
        self._journal = journal
        self._look_early = look_early
        self._inhibited = {point: Inhibition(_REASON) for system in site.systems for point in system.points}
        self.cause = ""
        self._pause = RETRY_FIRST_S
        self._worked_at = -WORKS_AFTER_S
        self._has_failed = asyncio.Event()

    @property
    def is_failing(self) -> bool:
        return bool(self.cause)

    def succeed(self, earlier: DiskWatch) -> None:
        """Go on with what was known under an earlier configuration."""
        self.cause, self._pause, self._worked_at = earlier.cause, earlier._pause, earlier._worked_at
        if self.cause:
            self._has_failed.set()

    def inhibited(self, image: FrozenImage) -> Mapping[PointId, Inhibition]:
        del image
        return self._inhibited if self.is_failing else {}

    def failed(self, cause: str) -> None:
        """An intent could not be stored."""
        if self.is_failing:
            return
        is_again = self._clock.wire_time() - self._worked_at < WORKS_AFTER_S
        self._pause = min(2.0 * self._pause, RETRY_LONGEST_S) if is_again else RETRY_FIRST_S
        self.cause = cause
        log.error("everything is let go until the disk takes it again: %s", cause)
        body: dict[str, JsonValue] = {"alarm": STORE_FAILED, "state": "active", "cause": cause}
        self._journal.note(EventKind.ALARM, SUBJECT, body)
        self._has_failed.set()
        self._look_early()

    async def run(self, catch_up: Callable[[], Awaitable[None]]) -> None:
        """Try the store until it takes changes. catch_up: stores what must be known before anything is written again;
        raises EnvironmentProblem."""
        while True:
            await self._has_failed.wait()
            await asyncio.sleep(self._pause)
            try:
                await self._store.prove()
                await catch_up()
            except EnvironmentProblem as error:
                log.debug("the disk takes nothing yet: %s", error)
                continue
            self._has_failed.clear()
            self._works_again()

    def _works_again(self) -> None:
        self.cause, self._worked_at = "", self._clock.wire_time()
        log.info("the disk takes changes again")
        self._journal.note(EventKind.ALARM, SUBJECT, {"alarm": STORE_FAILED, "state": "cleared"})
        self._look_early()

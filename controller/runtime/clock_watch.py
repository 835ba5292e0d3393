"""Keeps strategies that go by the wall clock from deciding while nobody can say that it is right."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.ports import Clock, Phase
from controller.core.text import Text
from controller.core.wall_clock import RELEASED, Synchronization, WallClock, looked_at
from controller.runtime.image import FrozenImage
from controller.runtime.journal import Journal
from controller.runtime.mounted import MountedStrategy
from controller.runtime.store import Store

log = logging.getLogger(__name__)

ASK_EVERY_S = 10.0
SAVE_EVERY_S = 600.0
ALARM = "wall clock not trusted"
_LATEST = "latest_wall_time"

Asks = Callable[[], Synchronization]


class ClockWatch:
    """ask: what the machine says of its clock; None for clocks that are right by definition (simulated, virtual)."""

    def __init__(
        self,
        subject: str,
        clock: Clock,
        store: Store,
        journal: Journal,
        strategies: Sequence[MountedStrategy],
        ask: Asks | None,
        *,
        is_free_running: bool,
    ) -> None:
        self._subject = subject
        self._clock = clock
        self._store = store
        self._journal = journal
        self._leaning = [each for each in strategies if each.mount.kind.leans_on_wall_clock]
        self._ask = ask
        self._is_free_running = is_free_running
        self._latest = RELEASED
        self._looked: WallClock | None = None
        self._save_at = 0.0

    @property
    def doubt(self) -> Text | None:
        """Why the wall clock is not believed; None while it is."""
        return None if self._looked is None else self._looked.doubt

    async def begin(self) -> None:
        """Look before anything is decided."""
        if self._ask is None:
            return
        stored = await self._store.load_run(_LATEST)
        if stored is not None:
            self._latest = datetime.fromisoformat(stored)
        self._look(self._clock.now(), self._clock.wire_time(), self._ask())

    def succeed(self, earlier: ClockWatch) -> None:
        """Go on with what was known; a site that now says who keeps its clock is looked at anew."""
        self._latest, self._save_at = earlier._latest, earlier._save_at
        self._looked = earlier._looked
        if self._ask is not None and self._is_free_running is not earlier._is_free_running:
            self._looked = None
            self._look(self._clock.now(), self._clock.wire_time(), self._ask())
            if self.doubt is None and earlier.doubt is not None:
                self._tell(earlier.doubt, None)
        self._withhold()

    def look(self, image: FrozenImage) -> None:
        """Between two questions to the machine: a clock that was set is seen before anybody decides by it."""
        if self._looked is not None:
            answered = Synchronization(is_now=False, was=False)
            self._look(image.now, self._clock.wire_time(), answered)

    async def run(self) -> None:
        if self._ask is None:
            return
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + ASK_EVERY_S, Phase.CALENDAR, "clock watch")
            self._look(self._clock.now(), self._clock.wire_time(), self._ask())
            if self.doubt is None and self._clock.wire_time() >= self._save_at:
                await self._save()

    async def _save(self) -> None:
        """The next start shall find a clock that is later."""
        self._save_at = self._clock.wire_time() + SAVE_EVERY_S
        try:
            await self._store.save_run(_LATEST, self._clock.now().isoformat())
        except EnvironmentProblem as error:
            log.debug("the time is not stored: %s", error)

    def _look(self, now: datetime, monotonic: float, answered: Synchronization) -> None:
        before = self.doubt
        self._looked = looked_at(
            self._looked, now, monotonic, self._latest, answered, is_free_running=self._is_free_running
        )
        if self.doubt != before:
            self._tell(before, self.doubt)
            self._withhold()

    def _withhold(self) -> None:
        for strategy in self._leaning:
            strategy.withheld = _withheld(self.doubt)

    def _tell(self, before: Text | None, doubt: Text | None) -> None:
        if doubt is None:
            log.info("the wall clock is trusted")
            self._journal.note(EventKind.ALARM, self._subject, {"alarm": ALARM, "state": "cleared"})
            return
        log.warning("the wall clock is not trusted: %s", doubt.en)
        if before is None:
            body: dict[str, JsonValue] = {"alarm": ALARM, "state": "active", "reason": doubt.en, "reason_zh": doubt.zh}
            self._journal.note(EventKind.ALARM, self._subject, body)


def _withheld(doubt: Text | None) -> Text | None:
    if doubt is None:
        return None
    return Text(f"waits: the wall clock is not trusted: {doubt.en}", f"等待: 墙上时钟不可信: {doubt.zh}")

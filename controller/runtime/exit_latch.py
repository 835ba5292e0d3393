"""Three unclean exits within an hour latch every system at `original`, until a person has looked and resets it."""

from __future__ import annotations

import json
import logging
from typing import Any, cast

from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.ports import Clock, Phase
from controller.core.text import Text
from controller.core.unclean_exits import TOO_MANY, UncleanExits
from controller.runtime.journal import Journal
from controller.runtime.store import Store

log = logging.getLogger(__name__)

SAVE_EVERY_S = 60.0
ALARM = "latched at original"
WHY = Text(
    f"Tidewatt ended uncleanly {TOO_MANY} times within an hour and stays away until a person resets it: "
    "tidewatt authority SITE --reset",
    f"Tidewatt 一小时内 {TOO_MANY} 次异常退出，须由人员复位后方可再接管：tidewatt authority SITE --reset",
)
_EXITS, _LATCHED = "unclean_exits", "latched"


class ExitLatch:
    """subject: the site, of which its events tell."""

    def __init__(self, subject: str, clock: Clock, store: Store, journal: Journal) -> None:
        self._subject = subject
        self._clock = clock
        self._store = store
        self._journal = journal
        self._exits = UncleanExits()
        self.is_latched = False

    async def begin(self) -> None:
        """Count how the run before ended, before this one is noted as begun. Raises EnvironmentProblem."""
        self._exits = _exits(await self._store.load_run(_EXITS))
        if not await self._store.was_ended_on_purpose():
            self._exits = self._exits.with_another()
            await self._save()
        self.is_latched = await is_latched(self._store)
        if self._exits.are_too_many and not self.is_latched:
            await self._store.save_run(_LATCHED, "yes")
            self.is_latched = True
        if self.is_latched:
            log.error("%s", WHY.en)
            body: dict[str, JsonValue] = {"alarm": ALARM, "state": "active", "reason": WHY.en, "reason_zh": WHY.zh}
            self._journal.note(EventKind.ALARM, self._subject, body)

    async def run(self) -> None:
        """Let the exits grow old, while there are any: this run adds none. A minute that the disk does not take is
        counted with the next.
        """
        before = self._clock.wire_time()
        while self._exits.ages:
            await self._clock.sleep_until(self._clock.monotonic() + SAVE_EVERY_S, Phase.RECORD, "exit latch")
            now = self._clock.wire_time()
            self._exits, before = self._exits.after(now - before), now
            try:
                await self._save()
            except EnvironmentProblem as error:
                log.debug("the unclean exits keep their stored age: %s", error)

    async def reset(self, who: str) -> bool:
        """Answers whether it was latched. Raises EnvironmentProblem."""
        was_latched = self.is_latched
        await reset(self._store)
        self._exits, self.is_latched = UncleanExits(), False
        if was_latched:
            self._journal.note(EventKind.DAEMON, self._subject, {"state": "latch reset", "who": who})
            self._journal.note(EventKind.ALARM, self._subject, {"alarm": ALARM, "state": "cleared"})
        return was_latched

    async def _save(self) -> None:
        await self._store.save_run(_EXITS, json.dumps(self._exits.ages))


async def is_latched(store: Store) -> bool:
    return bool(await store.load_run(_LATCHED))


async def reset(store: Store) -> None:
    """For when no daemon runs, too."""
    await store.save_run(_EXITS, "[]")
    await store.save_run(_LATCHED, "")


def _exits(stored: str | None) -> UncleanExits:
    ages: Any = json.loads(stored or "[]")
    return UncleanExits(tuple(cast("list[float]", ages)))

"""The last good copy of the small store, and what a start from it means: nobody is sure any more who has what.

A copy is made within a minute of a change of authority, of the points that we hold or of what is locked out, once an
hour, and at the end. It
is as old as that: a system may have been handed back, a machine locked out since. So a start from a copy leaves every
system to its original controls until a person decides, lets go what the copy says is held, and raises an alarm.
"""

from __future__ import annotations

import asyncio
import logging

from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.ports import Clock
from controller.core.site import Site
from controller.core.system import Authority
from controller.runtime.journal import Journal
from controller.runtime.store import Store

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
AT_LEAST_EVERY_S = 3600.0
SUBJECT = "store"
ALARM = "store damaged"


class StoreCopy:
    def __init__(self, clock: Clock, store: Store, journal: Journal) -> None:
        self._clock = clock
        self._store = store
        self._journal = journal
        self._copied: list[str] | None = None
        self._due = 0.0
        self._is_failing = False

    async def begin(self, site: Site) -> None:
        """Before authority is restored. Raises EnvironmentProblem."""
        damage = await self._store.load_damage()
        if damage is None:
            return
        before = await self._store.load_authority()
        for system in site.systems:
            was = before.get(system.id, site.first_authority)
            await self._store.save_authority(system.id, Authority.ORIGINAL)
            body: dict[str, JsonValue] = {"before": was.value, "authority": Authority.ORIGINAL.value, "who": "Tidewatt"}
            self._journal.note(EventKind.AUTHORITY, system.id, {**body, "reason": ALARM})
        held = "its last good copy says what was held" if damage.from_copy else "nobody knows what was held: look"
        cause = f"{damage.cause}; {held}; kept as {damage.kept_as or 'nothing'}"
        log.error("the state store was damaged: %s; every system stays with its original controls", cause)
        self._journal.note(EventKind.ALARM, SUBJECT, {"alarm": ALARM, "state": "active", "cause": cause})
        await self._store.forget_damage()

    async def run(self) -> None:
        while True:
            await self.keep()
            await asyncio.sleep(LOOK_EVERY_S)

    async def keep(self, *, now: bool = False) -> None:
        """Copy where that is due. Without a disk: the next time."""
        try:
            essentials = await self._store.essentials()
            if now or essentials != self._copied or self._clock.monotonic() >= self._due:
                await self._store.copy()
                self._copied = essentials
                self._due = self._clock.monotonic() + AT_LEAST_EVERY_S
            self._is_failing = False
        except EnvironmentProblem as error:
            if not self._is_failing:
                log.warning("the state store cannot be copied: %s", error)
            self._is_failing = True

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
from controller.core.text import Text
from controller.runtime.journal import Journal
from controller.runtime.store import Store
from controller.runtime.store_file import EMPTY, GONE, Damage

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
AT_LEAST_EVERY_S = 3600.0
SUBJECT = "store"
ALARM = "store damaged"

_HELD = Text("its last good copy says what was held", "持有点以最近的完好副本为准")
_NOBODY_KNOWS = Text("nobody knows what was held: look", "无法得知曾持有哪些点：请现场查看")
# What SQLite says has no Chinese.
_CAUSES_ZH = {EMPTY: "文件为空", GONE: "文件不存在"}


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
        cause = _cause(damage)
        log.error("the state store was damaged: %s; every system stays with its original controls", cause.en)
        told: dict[str, JsonValue] = {"cause": cause.en, "cause_zh": cause.zh}
        self._journal.note(EventKind.ALARM, SUBJECT, {"alarm": ALARM, "state": "active", **told})
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


def _cause(damage: Damage) -> Text:
    held = _HELD if damage.from_copy else _NOBODY_KNOWS
    wrong = Text(damage.cause, _CAUSES_ZH.get(damage.cause, damage.cause))
    kept, kept_zh = damage.kept_as or "nothing", damage.kept_as or "无"
    return Text(f"{wrong.en}; {held.en}; kept as {kept}", f"{wrong.zh}；{held.zh}；原文件存为 {kept_zh}")

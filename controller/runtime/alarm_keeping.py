"""Keeps the standings of alarms in the store: a second later at most, as well as the disk can."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from itertools import islice

from controller.core.alarm import NORMAL, AlarmId
from controller.core.errors import EnvironmentProblem
from controller.core.ports import Clock
from controller.runtime.listed_alarm import Alarm, stored_form
from controller.runtime.store import Store

log = logging.getLogger(__name__)

SAVE_EVERY_S = 1.0
SAVED_AT_ONCE = 50


class AlarmKeeping:
    """alarms: as they are now, by id; whatever is unsaved and not among them is forgotten by the store, too."""

    def __init__(self, alarms: Mapping[AlarmId, Alarm], clock: Clock, store: Store) -> None:
        self._all = alarms
        self._clock = clock
        self._store = store
        self.unsaved: set[AlarmId] = set()
        self._to_save = asyncio.Event()
        self._is_told_of_disk = False

    def note(self, *ids: AlarmId) -> None:
        """These are not any more what the store has."""
        self.unsaved.update(ids)
        self._to_save.set()

    async def run(self) -> None:
        while True:
            await self._to_save.wait()
            self._to_save.clear()
            await self.save_all()
            await asyncio.sleep(SAVE_EVERY_S)

    async def save_all(self) -> None:
        while self.unsaved:
            if not await self.save([*islice(self.unsaved, SAVED_AT_ONCE)]):
                return

    async def save(self, ids: Collection[AlarmId]) -> bool:
        """Whether the store took them. Control goes on without a disk; they are saved once it is back."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self.unsaved.difference_update(ids)
        kept = [self._all[id_] for id_ in ids if id_ in self._all and self._all[id_].standing != NORMAL]
        gone = set(ids) - {alarm.id for alarm in kept}
        try:
            await self._store.save_alarm_standings([stored_form(each, now, monotonic) for each in kept], list(gone))
        except EnvironmentProblem as error:
            self.unsaved.update(ids)
            self._to_save.set()
            if not self._is_told_of_disk:
                self._is_told_of_disk = True
                log.warning("the states of %d alarms could not be stored: %s", len(self.unsaved), error)
            return False
        self._is_told_of_disk = False
        return True

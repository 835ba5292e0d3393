"""Tells in time that the tariff ends: whoever plans by prices that nobody knows any more plans nothing."""

from __future__ import annotations

import logging

from controller.core.event import EventKind, JsonValue
from controller.core.ports import Clock
from controller.core.site import Site
from controller.core.tariff_end import end_words
from controller.runtime.journal import Journal
from controller.runtime.store import Store

log = logging.getLogger(__name__)

# When somebody is there to see to it.
LOOK_AT: dict[str, int | str] = {"hour": 8, "minute": 0}
ALARM = "tariff ends"


class TariffWatch:
    """Looks at every start and once a day; an alarm that was told is remembered over restarts."""

    def __init__(self, site: Site, clock: Clock, store: Store, journal: Journal) -> None:
        self._site = site
        self._clock = clock
        self._store = store
        self._journal = journal

    async def look(self) -> None:
        was_active = (self._site.name, ALARM) in await self._store.load_alarms()
        tariff = self._site.tariff
        today = self._clock.now().astimezone(self._site.zone).date()
        words = None if tariff is None else end_words(tariff, today)
        if (words is not None) == was_active:
            return
        await self._store.save_alarm(self._site.name, ALARM, active=words is not None)
        body: dict[str, JsonValue] = {"alarm": ALARM, "state": "cleared" if words is None else "active"}
        if words is not None:
            body |= {"reason": words.en, "reason_zh": words.zh}
            log.warning("%s", words.en)
        self._journal.note(EventKind.ALARM, self._site.name, body)

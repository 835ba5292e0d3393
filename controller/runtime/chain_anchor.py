"""The newest link of the event chain, kept beside history in the small store: a chain cannot tell by itself that its
end is missing.

Once a minute, and when the daemon ends: the last kept link must still be in the chain, then the newest one that is on
the disk takes its place. So what the store names is never lost in a power cut, and the store commits at most once a
minute for it; what came after it may be cut off without a trace (a power cut does that, too, for some seconds).
"""

from __future__ import annotations

import asyncio
import logging

from controller.core.errors import EnvironmentProblem, HistorianError
from controller.core.event import EventKind, JsonValue
from controller.core.event_chain import ChainHead
from controller.core.ports import Historian
from controller.runtime.journal import Journal
from controller.runtime.store import Store

log = logging.getLogger(__name__)

KEEP_EVERY_S = 60.0
SUBJECT = "history"
ALARM = "history changed"


class ChainAnchor:
    def __init__(self, historian: Historian, store: Store, journal: Journal) -> None:
        self._historian = historian
        self._store = store
        self._journal = journal
        self._kept: ChainHead | None = None
        self._is_loaded = False

    async def run(self) -> None:
        while True:
            await self.keep()
            await asyncio.sleep(KEEP_EVERY_S)

    async def keep(self) -> None:
        """Look whether what was kept still holds, and keep the newest. Without a disk: the next time."""
        if self._store.is_in_memory:  # nothing outlives the process, and nobody else can get at it
            return
        try:
            if not self._is_loaded:
                self._kept = await self._store.load_chain_head()
                self._is_loaded = True
            if not await self._holds():
                return
            newest = await self._historian.chain_head()
            if newest is not None and newest != self._kept:
                await self._store.save_chain_head(newest)
                self._kept = newest
        except (HistorianError, EnvironmentProblem) as error:
            log.debug("the end of the event chain is not kept now: %s", error)

    async def _holds(self) -> bool:
        """If not, the store names what is missing until the next time; that it is told is on the disk by then. A
        daemon that ends before tells it at its next start."""
        kept = self._kept
        if kept is None or await self._historian.chain_at(kept.number) == kept:
            return True
        self._kept = None
        cause = f"line {kept.number} of the events, chain {kept.chain.hex()}, is not in history any more"
        log.error("%s; see: tidewatt audit SITE verify", cause)
        cause_zh = f"历史中已无第 {kept.number} 行事件（链值 {kept.chain.hex()}）"
        body: dict[str, JsonValue] = {"alarm": ALARM, "state": "active", "cause": cause, "cause_zh": cause_zh}
        self._journal.note(EventKind.ALARM, SUBJECT, body)
        return False

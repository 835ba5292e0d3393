"""Who has each system: switched by people, kept across restarts, and never Tidewatt's before the site was tested."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import timedelta

from controller.core.event import EventKind, JsonValue
from controller.core.ports import Clock
from controller.core.system import Authority
from controller.runtime.commissioning import Commissioning
from controller.runtime.journal import Journal
from controller.runtime.link import LinkTask
from controller.runtime.store import Store

log = logging.getLogger(__name__)

# A working day: who needs longer says so again.
LONGEST_COMMISSIONING = timedelta(hours=12)
LOOK_EVERY_S = 1.0
ALARM = "not commissioned"
OURSELVES = "Tidewatt"


class AuthorityRefused(Exception):
    """Why a system is not switched."""


class Authorities:
    """present: authority by system, shared with everybody who asks. on_change: told the system that was switched."""

    def __init__(
        self,
        present: dict[str, Authority],
        clock: Clock,
        store: Store,
        journal: Journal,
        commissioning: Commissioning,
        links: Collection[LinkTask],
        on_change: Callable[[str], Awaitable[None]],
    ) -> None:
        self._present = present
        self._clock = clock
        self._store = store
        self._journal = journal
        self._commissioning = commissioning
        self._links = links
        self._on_change = on_change
        self._ends: dict[str, float] = {}
        self._unproven: set[str] = set()
        self._alarmed: set[str] = set()
        self._asked = 0
        self._done: dict[str, int] = {}
        self._saving = asyncio.Lock()
        self._needed = asyncio.Event()

    async def restore(self) -> None:
        """What people had set before; a system that has not been tested as it is now stays with its own controls."""
        stored = await self._store.load_authority()
        self._present.update({system: each for system, each in stored.items() if system in self._present})
        for system, authority in list(self._present.items()):
            if authority is not Authority.TIDEWATT:
                continue
            why_not = self._commissioning.why_not(system, self._commissioning.simulated_at_start)
            if not why_not:
                continue
            self._present[system] = Authority.ORIGINAL
            if self._commissioning.may_prove(system):
                # Its devices say that they are simulators: they have to be seen first.
                self._unproven.add(system)
                self._needed.set()
                continue
            if system in stored:
                # Nobody is surprised later: who mends it hands it over again.
                await self._store.save_authority(system, Authority.ORIGINAL)
            self._tell_refused(system, why_not)

    async def run(self) -> None:
        """End what was given for a time; take what has proved to be a simulator."""
        while True:
            self._needed.clear()
            if not self._ends and not self._unproven:
                await self._needed.wait()
                continue
            await asyncio.sleep(LOOK_EVERY_S)
            await self._end_commissioning()
            if self._unproven:
                await self._take_what_is_proven()

    async def switch(self, system: str, authority: Authority, who: str, lasting: timedelta | None = None) -> None:
        """Hand a system over or back. Durable, but for commissioning, which ends after `lasting`.

        Who asks later wins: a request that had to wait is refused if a later one was met meanwhile.
        Raises AuthorityRefused.
        """
        if authority is Authority.COMMISSIONING and (
            lasting is None or not timedelta(0) < lasting <= LONGEST_COMMISSIONING
        ):
            hours = LONGEST_COMMISSIONING.total_seconds() / 3600
            raise AuthorityRefused(f"commissioning needs an end, at most {hours:g} h from now, such as --for 2h")
        request = self._next_request()
        if authority is Authority.TIDEWATT:
            await self._require_tested(system)
        await self._switch(request, system, authority, who, lasting)

    def _next_request(self) -> int:
        self._asked += 1
        return self._asked

    async def _switch(
        self, request: int, system: str, authority: Authority, who: str, lasting: timedelta | None = None
    ) -> None:
        async with self._saving:
            self._require_latest(request, system)
            stored = Authority.ORIGINAL if authority is Authority.COMMISSIONING else authority
            await self._store.save_authority(system, stored)
        self._done[system] = request
        self._unproven.discard(system)
        self._ends.pop(system, None)
        body: dict[str, JsonValue] = {
            "before": self._present[system].value,
            "authority": authority.value,
            "who": who,
        }
        if authority is Authority.COMMISSIONING and lasting is not None:
            self._ends[system] = self._clock.monotonic() + lasting.total_seconds()
            self._needed.set()
            body["for_s"] = lasting.total_seconds()
        self._present[system] = authority
        self._journal.note(EventKind.AUTHORITY, system, body)
        if system in self._alarmed:  # somebody knows, and has decided
            self._alarmed.remove(system)
            self._journal.note(EventKind.ALARM, system, {"alarm": ALARM, "state": "cleared"})
        await self._on_change(system)

    def _require_latest(self, request: int, system: str) -> None:
        if self._done.get(system, 0) > request:
            authority = self._present[system].value
            raise AuthorityRefused(f"superseded: somebody asked later for system {system}, which is {authority} now")

    def remaining(self, system: str) -> float | None:
        """Seconds of commissioning that are left; None where none was begun."""
        end = self._ends.get(system)
        return None if end is None else max(0.0, end - self._clock.monotonic())

    async def _require_tested(self, system: str) -> None:
        why_not = self._commissioning.why_not(system)
        if why_not and self._commissioning.may_prove(system):
            why_not = self._commissioning.why_not(system, await self._commissioning.prove(self._links, [system]))
        if why_not:
            raise AuthorityRefused(why_not)

    async def _end_commissioning(self) -> None:
        for system in list(self._ends):
            # Somebody may have prolonged it while another one was ended.
            if self._ends.get(system, math.inf) <= self._clock.monotonic():
                await self._switch(self._next_request(), system, Authority.ORIGINAL, OURSELVES)

    async def _take_what_is_proven(self) -> None:
        request = self._next_request()
        simulated = await self._commissioning.prove(self._links, self._unproven)
        for system in sorted(self._unproven):
            if self._commissioning.is_simulated(system, simulated):
                # Whoever has decided otherwise meanwhile has it as they want it.
                with suppress(AuthorityRefused):
                    await self._switch(request, system, Authority.TIDEWATT, OURSELVES)

    def _tell_refused(self, system: str, why_not: str) -> None:
        reason = why_not.partition("\n")[0].rstrip(":")
        log.warning("%s; it stays with its original controls", reason)
        self._alarmed.add(system)
        body = {"before": Authority.TIDEWATT.value, "authority": Authority.ORIGINAL.value, "who": OURSELVES}
        self._journal.note(EventKind.AUTHORITY, system, {**body, "reason": reason})
        self._journal.note(EventKind.ALARM, system, {"alarm": ALARM, "state": "active", "cause": reason})

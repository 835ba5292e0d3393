"""Who has each system: switched by people, kept across restarts, and never Tidewatt's before the site was tested."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import timedelta

from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.ports import Clock
from controller.core.system import Authority
from controller.core.text import Text
from controller.runtime.backoff import Backoff
from controller.runtime.commissioning import Commissioning
from controller.runtime.journal import Journal
from controller.runtime.link import LinkTask, Session
from controller.runtime.store import Store
from controller.runtime.vetoes import Vetoes

log = logging.getLogger(__name__)

# A working day: who needs longer says so again.
LONGEST_COMMISSIONING = timedelta(hours=12)
LOOK_EVERY_S = 1.0
# A simulator that was started with its site is there by then; what is not may well be real.
TOLD_UNPROVEN_AFTER_S = 60.0
ALARM = "not commissioned"
NOT_STORED = "authority not stored"
KEEP_AGAIN_EVERY_S = 10.0
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
        self._unproven_since = math.inf
        self._asked_on: list[Session | None] = []
        self._proving = Backoff("authority")
        self._prove_at = -math.inf
        self._alarmed: set[str] = set()
        self._asked = 0
        self._done: dict[str, int] = {}
        self._not_kept: set[str] = set()
        self._keep_at = math.inf
        self._saving = asyncio.Lock()
        self._needed = asyncio.Event()
        self.vetoes = Vetoes(present)
        # What a veto has taken from us, and nobody decided otherwise since.
        self._taken: set[str] = set()
        self._taken_now: set[str] = set()

    async def restore(self, but: Collection[str] = ()) -> None:
        """What people had set before; a system that has not been tested as it is now stays with its own controls.

        but: systems that are not restored, but go on.
        """
        stored = await self._store.load_authority()
        undecided = {system for system, alarm in await self._store.load_alarms() if alarm == ALARM}
        self._present.update({system: each for system, each in stored.items() if system in self._present})
        for system, authority in list(self._present.items()):
            if system in but:
                continue
            why_not = ""
            if authority is Authority.TIDEWATT:
                why_not = self._commissioning.why_not(system, self._commissioning.simulated_at_start)
            if why_not:
                self._present[system] = Authority.ORIGINAL
                await self._refuse_at_start(system, why_not, is_stored=system in stored)
            elif system in undecided:
                self._raise_alarm(system, f"system {system} was taken from Tidewatt; nobody has decided since")

    def succeed(self, earlier: Authorities) -> None:
        """Go on where the systems of an earlier configuration stood."""
        both = self._present.keys() & earlier._present.keys()
        self._present.update({system: earlier._present[system] for system in both})
        self._ends = {system: end for system, end in earlier._ends.items() if system in both}
        self._unproven |= earlier._unproven & both
        self._unproven_since = min(self._unproven_since, earlier._unproven_since)
        self._alarmed |= earlier._alarmed & both
        self._not_kept = earlier._not_kept & both
        self._keep_at, self._asked, self._done = earlier._keep_at, earlier._asked, earlier._done
        self.vetoes.succeed(earlier.vetoes)
        self._taken, self._taken_now = earlier._taken & both, earlier._taken_now & both
        self._needed.set()

    async def _refuse_at_start(self, system: str, why_not: str, *, is_stored: bool) -> None:
        if self._commissioning.may_prove(system):
            # Its devices say that they are simulators: they have to be seen first.
            self._unproven.add(system)
            self._unproven_since = self._clock.wire_time()
            self._needed.set()
            return
        if is_stored:
            # Nobody is surprised later: who mends it hands it over again, and is reminded until then.
            await self._store.save_alarm(system, ALARM, active=True)
            await self._store.save_authority(system, Authority.ORIGINAL)
        self._tell_refused(system, why_not)

    async def run(self) -> None:
        """End what was given for a time; store what the disk did not take; take what has proved to be a simulator."""
        while True:
            self._needed.clear()
            if not (self._ends or self._unproven or self._not_kept or self._taken_now or self._returning()):
                await self._needed.wait()
                continue
            await self._follow_vetoes()
            await asyncio.sleep(LOOK_EVERY_S)
            await self._end_commissioning()
            await self._keep_again()
            if self._unproven:
                if self._is_time_to_prove():
                    await self._take_what_is_proven()
                self._tell_unproven()

    async def switch(
        self, system: str, authority: Authority, who: str, lasting: timedelta | None = None, over: str = ""
    ) -> None:
        """Hand a system over or back. Durable, but for commissioning, which ends after `lasting`.

        Who asks later wins: a request that had to wait is refused if a later one was met meanwhile.
        over: a source whose veto this outweighs; who asks sees to it that it is lifted.
        Raises AuthorityRefused, or EnvironmentProblem where the disk does not take it: what is to be handed back is
        handed back all the same.
        """
        if authority is Authority.COMMISSIONING and (
            lasting is None or not timedelta(0) < lasting <= LONGEST_COMMISSIONING
        ):
            hours = LONGEST_COMMISSIONING.total_seconds() / 3600
            raise AuthorityRefused(f"commissioning needs an end, at most {hours:g} h from now, such as --for 2h")
        if authority is not Authority.ORIGINAL:
            self._require_no_veto(system, over)
        request = self._next_request()
        if authority is Authority.TIDEWATT:
            await self._require_tested(system)
        await self._switch(request, system, authority, who, lasting, over)

    async def grant_under(self, source: str, system: str, who: str) -> None:
        """Tidewatt's by a person's decision, but for as long as `source` objects. Raises as `switch` does."""
        self._require_no_veto(system, source)
        request = self._next_request()
        await self._require_tested(system)
        await self._switch(request, system, Authority.TIDEWATT, who)

    def _next_request(self) -> int:
        self._asked += 1
        return self._asked

    async def _switch(
        self,
        request: int,
        system: str,
        authority: Authority,
        who: str,
        lasting: timedelta | None = None,
        over: str = "",
    ) -> None:
        if authority is Authority.ORIGINAL:
            # Handing back waits for no disk.
            self._set(request, system, authority, who)
            await self._on_change(system)
            await self._keep(system)
            return
        async with self._saving:
            self._require_latest(request, system)
            await store_decision(self._store, system, _lasting(authority))
        self._note_kept(system)
        self._set(request, system, authority, who, lasting)
        reason = self.vetoes.reason(system, over)
        if reason is not None:  # it came while the disk was at work
            self._take(system, OURSELVES, reason)
        await self._on_change(system)

    # --- who insists on the original controls

    def veto(self, system: str, source: str, reason: Text) -> None:
        """At once, within a scan: the system is its original controls' until the last veto is lifted."""
        self.vetoes.place(system, source, reason)
        if self._present[system] is not Authority.ORIGINAL:
            self._take(system, source, reason)

    def lift_veto(self, system: str, source: str) -> None:
        """What was ours when the first veto came is ours again; what people decided meanwhile counts."""
        if self.vetoes.lift(system, source):
            self._needed.set()

    async def latch(self, source: str, reason: Text) -> None:
        """Every system is its original controls', and stays so after the veto is lifted, until a person decides.

        Raises EnvironmentProblem.
        """
        for system in self._present:
            await self._store.save_authority(system, Authority.ORIGINAL)
            self._unproven.discard(system)
            self.veto(system, source, reason)
        self._taken.clear()

    def _take(self, system: str, source: str, reason: Text) -> None:
        before = self._present[system]
        if before is Authority.TIDEWATT:
            self._taken.add(system)
        self._ends.pop(system, None)
        self._present[system] = Authority.ORIGINAL
        self._taken_now.add(system)
        body = {"before": before.value, "authority": Authority.ORIGINAL.value, "who": source}
        self._journal.note(EventKind.AUTHORITY, system, {**body, "reason": reason.en, "reason_zh": reason.zh})
        self._needed.set()

    def _returning(self) -> list[str]:
        return sorted(system for system in self._taken if self.vetoes.reason(system) is None)

    async def _follow_vetoes(self) -> None:
        while self._taken_now:
            await self._on_change(self._taken_now.pop())
        for system in self._returning():
            self._taken.discard(system)
            try:
                await self.switch(system, Authority.TIDEWATT, OURSELVES)
            except AuthorityRefused as error:
                self._tell_refused(system, str(error))
            except EnvironmentProblem as error:
                log.warning("system %s is not taken again before the disk works: %s", system, error)
                self._taken.add(system)

    def _require_no_veto(self, system: str, over: str) -> None:
        reason = self.vetoes.reason(system, over)
        if reason is not None:
            raise AuthorityRefused(f"system {system} stays with its original controls: {reason.en}")

    def _set(self, request: int, system: str, authority: Authority, who: str, lasting: timedelta | None = None) -> None:
        self._done[system] = request
        self._unproven.discard(system)
        self._taken.discard(system)
        self._ends.pop(system, None)
        body: dict[str, JsonValue] = {
            "before": self._present[system].value,
            "authority": authority.value,
            "who": who,
        }
        if lasting is not None and authority is Authority.COMMISSIONING:
            self._ends[system] = self._clock.monotonic() + lasting.total_seconds()
            self._needed.set()
            body["for_s"] = lasting.total_seconds()
        self._present[system] = authority
        self._journal.note(EventKind.AUTHORITY, system, body)
        if system in self._alarmed:  # somebody knows, and has decided
            self._alarmed.remove(system)
            self._journal.note(EventKind.ALARM, system, {"alarm": ALARM, "state": "cleared"})

    async def _keep(self, system: str) -> None:
        """Store who has the system now. Raises EnvironmentProblem; then it is tried again until it is stored."""
        async with self._saving:
            try:
                await store_decision(self._store, system, _lasting(self._present[system]))
            except EnvironmentProblem as error:
                self._note_not_kept(system, str(error))
                raise EnvironmentProblem(
                    f"system {system} is handed back, but the disk did not take it: a restart now would forget it; "
                    f"it is tried again: {error}"
                ) from error
        self._note_kept(system)

    def _note_not_kept(self, system: str, cause: str) -> None:
        if system in self._not_kept:
            return
        self._not_kept.add(system)
        self._keep_at = self._clock.wire_time() + KEEP_AGAIN_EVERY_S
        self._needed.set()
        log.warning("who has system %s could not be stored: %s", system, cause)
        body: dict[str, JsonValue] = {"alarm": NOT_STORED, "state": "active", "cause": cause}
        self._journal.note(EventKind.ALARM, system, body)

    def _note_kept(self, system: str) -> None:
        if system in self._not_kept:
            self._not_kept.remove(system)
            log.info("who has system %s is stored", system)
            self._journal.note(EventKind.ALARM, system, {"alarm": NOT_STORED, "state": "cleared"})

    async def _keep_again(self) -> None:
        if self._clock.wire_time() < self._keep_at:
            return
        self._keep_at = self._clock.wire_time() + KEEP_AGAIN_EVERY_S
        for system in sorted(self._not_kept):
            with suppress(EnvironmentProblem):
                await self._keep(system)

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
                with suppress(EnvironmentProblem):  # that it is not stored is told by its alarm
                    await self._switch(self._next_request(), system, Authority.ORIGINAL, OURSELVES)

    def _is_time_to_prove(self) -> bool:
        """At once where a link is connected anew, else more and more seldom: most of what is silent is real."""
        sessions = [link.session for link in self._links]
        if sessions != self._asked_on:
            self._asked_on = sessions
            self._proving.reset()
        elif self._clock.wire_time() < self._prove_at:
            return False
        self._prove_at = self._clock.wire_time() + self._proving.next_pause()
        return True

    async def _take_what_is_proven(self) -> None:
        request = self._next_request()
        simulated = await self._commissioning.prove(self._links, self._unproven)
        for system in sorted(self._unproven):
            if self._commissioning.is_simulated(system, simulated) and self.vetoes.reason(system) is None:
                # Whoever has decided otherwise meanwhile has it as they want it. Without a disk: the next time.
                with suppress(AuthorityRefused, EnvironmentProblem):
                    await self._switch(request, system, Authority.TIDEWATT, OURSELVES)

    def _tell_unproven(self) -> None:
        if self._clock.wire_time() - self._unproven_since < TOLD_UNPROVEN_AFTER_S:
            return
        for system in sorted(self._unproven - self._alarmed):
            self._tell_refused(system, self._commissioning.why_not(system))

    def _tell_refused(self, system: str, why_not: str) -> None:
        reason = why_not.partition("\n")[0].rstrip(":")
        log.warning("%s; it stays with its original controls", reason)
        body = {"before": Authority.TIDEWATT.value, "authority": Authority.ORIGINAL.value, "who": OURSELVES}
        self._journal.note(EventKind.AUTHORITY, system, {**body, "reason": reason})
        self._raise_alarm(system, reason)

    def _raise_alarm(self, system: str, cause: str) -> None:
        self._alarmed.add(system)
        self._journal.note(EventKind.ALARM, system, {"alarm": ALARM, "state": "active", "cause": cause})


def _lasting(authority: Authority) -> Authority:
    """What the next start shall find."""
    return Authority.ORIGINAL if authority is Authority.COMMISSIONING else authority


async def store_decision(store: Store, system: str, authority: Authority) -> None:
    """What a person wants, for the next start; nobody need be reminded any more. Raises EnvironmentProblem."""
    await store.save_authority(system, authority)
    await store.save_alarm(system, ALARM, active=False)

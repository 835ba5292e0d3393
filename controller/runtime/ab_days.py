"""A/B days at work: an original day is a veto, and a person's decision suspends the schedule until a person resumes it.

The schedule never gives Tidewatt what people have not: it takes away, and gives back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

from controller.core.ab_days import (
    NOT_BEGUN,
    ABDays,
    Block,
    Standing,
    Switch,
    block_at,
    due_switch,
    in_words,
    side_of,
    waits_until,
)
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.fire import FireState
from controller.core.ports import Clock, Phase
from controller.core.sample import Sample
from controller.core.site import Site
from controller.core.system import Authority
from controller.core.text import Text
from controller.runtime.ab_days_kept import KEY, is_on_schedule, not_on_schedule, read, suspended_in_words, written
from controller.runtime.authorities import Authorities, AuthorityRefused
from controller.runtime.clock_watch import ClockWatch
from controller.runtime.fire import FireInterlock
from controller.runtime.image import FrozenImage
from controller.runtime.journal import Journal
from controller.runtime.store import Store

log = logging.getLogger(__name__)

# Who vetoes on an original day.
SOURCE = "A/B days"
KEEP_AGAIN_EVERY_S = 10.0
# A system that is given back is ours a moment later.
SETTLED_AFTER_S = 60.0
_ORIGINAL_DAY = Text("block {0} of the A/B days is the original controls'", "A/B 日第 {0} 段归原控")
_DOUBT = Text("A/B days: the wall clock is not trusted: {0}", "A/B 日：墙上时钟不可信：{0}")
_FIRE = Text("fire input {0} is not normal", "火警输入 {0} 不在正常状态")
_NOT_GIVEN = Text("no person has given it to Tidewatt", "无人将其交予本控")


class ABDaysAtWork:
    """Looks at each frozen image, before anything is decided on it. present: authority by system."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        store: Store,
        journal: Journal,
        authorities: Authorities,
        present: Mapping[str, Authority],
        clock_watch: ClockWatch,
        fire: FireInterlock,
    ) -> None:
        self._site = site
        self._schedule = site.ab_days
        self._clock = clock
        self._store = store
        self._journal = journal
        self._authorities = authorities
        self._present = present
        self._clock_watch = clock_watch
        self._fire = fire
        self._points = {each.id: frozenset(each.points) for each in site.systems}
        self._standing = NOT_BEGUN
        self._suspended: dict[str, str] = {}
        self._block: Block | None = None
        self._placed: dict[str, Text] = {}
        self._disturbed: set[str] = set()
        self._settled_at: float | None = None
        self._changed = asyncio.Event()

    @property
    def systems(self) -> Collection[str]:
        return () if self._schedule is None else self._schedule.systems

    async def restore(self) -> None:
        """On the side where an earlier run stood; that of another schedule says nothing but who suspended it."""
        if self._schedule is not None:
            self._standing, self._suspended = read(await self._store.load_run(KEY) or "", self._schedule)

    def succeed(self, earlier: ABDaysAtWork) -> None:
        """Go on where an earlier configuration stood; a system that is not on the schedule any more is given back."""
        for system in earlier._placed:
            if system in self.systems:
                self._placed[system] = earlier._placed[system]
            elif system in self._authorities.vetoes:
                self._authorities.lift_veto(system, SOURCE)
        if self._schedule is None:
            return
        self._changed.set()
        if earlier._schedule is not None:
            self._standing, self._suspended = read(earlier._written(), self._schedule)
            self._disturbed = earlier._disturbed & set(self.systems)

    # --- each scan

    def look(self, image: FrozenImage) -> None:
        schedule = self._schedule
        if schedule is None:
            return
        if self._settled_at is None:
            self._settled_at = image.monotonic + SETTLED_AFTER_S
        doubt = self._clock_watch.doubt
        if doubt is None:
            self._follow_calendar(schedule, image)
        elif self._block is None:
            # What a doubtful clock says suffices to hold a system, never to begin a block.
            self._block = block_at(schedule, self._site.zone, image.now)
        for system in schedule.systems:
            self._follow(system, self._objection(system, doubt))
            self._look_for_disturbance(system, doubt, image.monotonic)

    def _follow_calendar(self, schedule: ABDays, image: FrozenImage) -> None:
        if self._block is None or not self._block.starts <= image.now < self._block.ends:
            self._block = block_at(schedule, self._site.zone, image.now)
        if self._block is None:
            self._standing = NOT_BEGUN
            return
        if self._block.number == self._standing.number:
            return
        level = None if schedule.tank is None else _level(image.samples[schedule.tank.point])
        switch = due_switch(schedule, self._standing, self._block, image.now, level)
        if switch is not None:
            self._switch(switch, image)

    def _switch(self, switch: Switch, image: FrozenImage) -> None:
        self._standing = switch.after
        self._changed.set()
        self._disturbed.clear()
        self._settled_at = image.monotonic + SETTLED_AFTER_S
        late = (image.now - switch.block.starts).total_seconds()
        tank = None if self._schedule is None else self._schedule.tank
        body: dict[str, JsonValue] = {
            "step": "switched",
            "block": switch.block.number,
            "side": switch.block.side.value,
            "before": side_of(switch.before.number).value if switch.before.number else None,
            "missed": max(0, switch.block.number - switch.before.number - 1) if switch.before.number else 0,
            "planned": switch.block.starts.isoformat(),
            "late_s": round(late, 3),
            "level": switch.level,
            "level_at_first": switch.after.level,
            "unit": None if tank is None else self._site.points[tank.point].unit.value,
            "equal": switch.is_equal,
        }
        for system in self.systems:
            if system not in self._suspended:
                self._journal.note(EventKind.AB_DAYS, system, body)
        log.info("A/B days: block %d, %s, %.0f s after its time", switch.block.number, switch.block.side, late)
        if switch.is_equal is False:
            log.warning("the tank holds %s, at the first switch %s: not equal", switch.level, switch.after.level)

    def _objection(self, system: str, doubt: Text | None) -> Text | None:
        if system in self._suspended:
            return None
        if doubt is not None and (self._standing.number or self._block is not None):
            return _filled(_DOUBT, doubt)
        if self._standing.number and side_of(self._standing.number) is Authority.ORIGINAL:
            number = str(self._standing.number)
            return _filled(_ORIGINAL_DAY, Text(number, number))
        return None

    def _follow(self, system: str, objection: Text | None) -> None:
        if self._placed.get(system) == objection:
            return
        if objection is None:
            del self._placed[system]
            self._authorities.lift_veto(system, SOURCE)
        else:
            self._placed[system] = objection
            self._authorities.veto(system, SOURCE, objection)

    def _look_for_disturbance(self, system: str, doubt: Text | None, monotonic: float) -> None:
        if system in self._suspended or system in self._disturbed or not self._standing.number:
            return
        cause = self._fire_in(system) or self._absence(system, doubt, monotonic)
        if cause is not None:
            self._disturbed.add(system)
            self._note(system, {"step": "disturbed", "reason": cause.en, "reason_zh": cause.zh})

    def _fire_in(self, system: str) -> Text | None:
        """Why a fire input keeps points of the system from whoever has it; None where none does."""
        for each in self._fire.all:
            touched = (*each.input.lights, *each.input.ventilation, *each.input.plant)
            if each.standing.state is not FireState.NORMAL and not self._points[system].isdisjoint(touched):
                return _filled(_FIRE, Text(each.input.point, each.input.point))
        return None

    def _absence(self, system: str, doubt: Text | None, monotonic: float) -> Text | None:
        """Why a day that should be ours is not."""
        if side_of(self._standing.number) is Authority.ORIGINAL or self._present[system] is Authority.TIDEWATT:
            return None
        if doubt is not None:
            return _filled(_DOUBT, doubt)
        reason = self._authorities.vetoes.reason(system, SOURCE)
        if reason is None and self._settled_at is not None and monotonic >= self._settled_at:
            return _NOT_GIVEN
        return reason

    def _note(self, system: str, body: dict[str, JsonValue]) -> None:
        side = side_of(self._standing.number).value if self._standing.number else None
        self._journal.note(EventKind.AB_DAYS, system, {**body, "block": self._standing.number or None, "side": side})

    # --- what people decide

    async def decide(self, system: str, authority: Authority, who: str, lasting: timedelta | None = None) -> None:
        """A person's decision; from then on the schedule has nothing to say of the system.

        Raises AuthorityRefused, or EnvironmentProblem where the disk does not take it.
        """
        await self._authorities.switch(system, authority, who, lasting, over=SOURCE)
        has_begun = self._standing.number > 0 or self._block is not None
        if system not in self.systems or not has_begun or system in self._suspended:
            return
        self._suspended[system] = who
        self._follow(system, None)
        self._note(system, {"step": "suspended", "who": who, "authority": authority.value})
        await self._keep(system)

    async def resume(self, system: str, who: str) -> None:
        """A person gives the system to the schedule: ours on our days, its original controls' on the others.

        Raises AuthorityRefused, or EnvironmentProblem where the disk does not take it.
        """
        if not is_on_schedule(self._site, system):
            raise AuthorityRefused(not_on_schedule(system))
        suspended_by = self._suspended.pop(system, None)
        self._follow(system, self._objection(system, self._clock_watch.doubt))
        try:
            await self._authorities.grant_under(SOURCE, system, who)
        except (AuthorityRefused, EnvironmentProblem):
            if suspended_by is not None:
                self._suspended[system] = suspended_by
                self._follow(system, None)
            raise
        self._note(system, {"step": "resumed", "who": who, "suspended_by": suspended_by})
        await self._keep(system)

    # --- what must survive

    async def _keep(self, system: str) -> None:
        """What a person has decided. Raises EnvironmentProblem; then it is tried again until it is stored."""
        try:
            await self._store.save_run(KEY, self._written())
        except EnvironmentProblem as error:
            self._changed.set()
            raise EnvironmentProblem(
                f"the A/B days of {system} are as you say, but the disk did not take it: a restart now would forget "
                f"it; it is tried again: {error}"
            ) from error

    async def run(self) -> None:
        """Keep each switch at once, beside the scan; what the disk does not take is kept later."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._store.save_run(KEY, self._written())
            except EnvironmentProblem as error:
                log.debug("the A/B days are not stored yet: %s", error)
                self._changed.set()
                await self._clock.sleep_until(self._clock.monotonic() + KEEP_AGAIN_EVERY_S, Phase.RECORD, "A/B days")

    def _written(self) -> str:
        assert self._schedule is not None
        return written(self._schedule, self._standing, self._suspended)

    # --- what is shown

    def shown(self, system: str) -> dict[str, JsonValue] | None:
        """None where the system is on no schedule. until: of the side in force; None before the first block."""
        schedule = self._schedule
        if schedule is None or system not in schedule.systems:
            return None
        block = block_at(schedule, self._site.zone, self._clock.now())
        words = in_words(schedule, self._site.zone, self._standing, block)
        who = self._suspended.get(system)
        if who is not None:
            words = suspended_in_words(who)
        return {
            "day": None if block is None else block.day,
            "block": self._standing.number or None,
            "side": side_of(self._standing.number).value if self._standing.number else None,
            "until": None if block is None else _ends(schedule, self._standing, block).isoformat(),
            "level_at_first": self._standing.level,
            "suspended_by": who,
            "disturbed": system in self._disturbed,
            "en": words.en,
            "zh": words.zh,
        }


def _ends(schedule: ABDays, standing: Standing, block: Block) -> datetime:
    return (block.ends if block.number == standing.number else waits_until(schedule, block)).astimezone(UTC)


def _level(sample: Sample) -> float | None:
    """What is only nearly known would make two levels equal that are not."""
    return float(cast("float", sample.value)) if sample.is_good else None


def _filled(words: Text, what: Text) -> Text:
    return Text(words.en.format(what.en), words.zh.format(what.zh))

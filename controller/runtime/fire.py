"""Fire alarm interlocking at work: lights up, ventilation and cooling plant let go, until a person resets.

Everything is decided within the scan that sees the input; the disk is told beside it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from controller.core.alarm_catalogue import FIRE, FIRE_INPUT_LOST
from controller.core.command import Command, Priority
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.fire import FireInput, FireState, Signal, Standing, inhibited_by, lit_by, seen, signal_of
from controller.core.inhibition import Inhibition
from controller.core.point import PointId, ValueType
from controller.core.ports import Clock
from controller.core.sample import Scalar
from controller.core.system import Authority
from controller.core.text import Text
from controller.runtime.control import Control
from controller.runtime.image import FrozenImage
from controller.runtime.journal import Journal
from controller.runtime.scan import Scan
from controller.runtime.store import Store

log = logging.getLogger(__name__)

# A lease like any other: lights that nobody holds up any more end by themselves.
LEASE_S = 60.0
KEEP_AGAIN_EVERY_S = 10.0

_WHY_LIGHT: Mapping[FireState, Text] = {
    FireState.FIRE: Text("fire: nobody may dim", "消防联动：全亮，不得调暗"),
    FireState.WAITING: Text("fire, not reset yet: nobody may dim", "消防联动未复位：全亮，不得调暗"),
    FireState.LOST: Text("the fire input is lost: counts as fire", "火警输入失效：按火警处理"),
}


class FireResetRefused(Exception):
    """Why a fire is not reset; its words go to whoever asked."""


class FireInputStatus(NamedTuple):
    """since: of the fire that is not reset, aware UTC."""

    input: FireInput
    standing: Standing
    since: datetime | None


class FireInterlock:
    """One of the scan's inhibitors: it looks at the inputs first, and raises and lowers the lights by commands."""

    def __init__(
        self,
        inputs: Sequence[FireInput],
        scan: Scan,
        authority: Mapping[str, Authority],
        clock: Clock,
        journal: Journal,
        store: Store,
    ) -> None:
        self._inputs = inputs
        self._scan = scan
        self._authority = authority
        self._clock = clock
        self._journal = journal
        self._store = store
        self._standings = {each.point: Standing() for each in inputs}
        self._since: dict[PointId, datetime] = {}
        self._inhibited: Mapping[PointId, Inhibition] = {}
        self._lit: Mapping[PointId, FireInput] = {}
        self._raised: dict[PointId, str] = {}
        self._to_keep = asyncio.Event()
        self._keeping = asyncio.Lock()
        if inputs:
            scan.inhibitors.append(self)

    @property
    def all(self) -> list[FireInputStatus]:
        return [
            FireInputStatus(each, self._standings[each.point], self._since.get(each.point)) for each in self._inputs
        ]

    async def restore(self) -> None:
        """A fire that nobody has reset is not over because we were restarted."""
        if not self._inputs:
            return
        for point, since in (await self._store.load_fires()).items():
            if point in self._standings:
                self._since[point] = since
                self._move(point, Standing(is_latched=True), Standing())

    def succeed(self, earlier: FireInterlock) -> None:
        """Go on with what an earlier configuration knew of the same inputs."""
        self._standings.update({point: each for point, each in earlier._standings.items() if point in self._standings})
        self._since.update({point: each for point, each in earlier._since.items() if point in self._standings})
        self._to_keep.set()
        self._raised = {point: each for point, each in earlier._raised.items() if point in self._scan.controls}
        self._inhibited = inhibited_by(self._inputs, self._standings)
        self._lit = lit_by(self._inputs, self._standings)
        for point, standing in earlier._standings.items():
            if point not in self._standings and standing.signal is Signal.LOST:
                self._tell_alarm(point, FIRE_INPUT_LOST, is_active=False)

    # --- in the scan; no waiting here -------------------------------------------------------------------------------

    def inhibited(self, image: FrozenImage) -> Mapping[PointId, Inhibition]:
        """Look at the inputs, see to the lights, and say what is to be let go or to stay as it is."""
        for each in self._inputs:
            before = self._standings[each.point]
            after = seen(before, signal_of(image.samples[each.point], each.active), image.monotonic)
            if after != before:
                self._move(each.point, after, before)
        if self._lit or self._raised:
            self._see_to_lights(image.monotonic)
        return self._inhibited

    def _see_to_lights(self, monotonic: float) -> None:
        """What is not ours to raise any more is taken back at once: its lease would last into a test of the system."""
        lit = {point: each for point, each in self._lit.items() if self._may_raise(self._scan.controls[point])}
        for point in self._raised.keys() - lit.keys():
            control, source = self._scan.controls[point], self._raised.pop(point)
            control.array = control.array.without(Priority.AUTOMATIC_LIFE_SAFETY, source)
        for point, each in lit.items():
            self._raise(point, each, monotonic)

    def _raise(self, point: PointId, each: FireInput, monotonic: float) -> None:
        control, reason = self._scan.controls[point], _WHY_LIGHT[self._standings[each.point].state]
        held = control.array.held_at(Priority.AUTOMATIC_LIFE_SAFETY)
        if held is not None and held.ends - monotonic > LEASE_S / 2 and held.reason == reason:
            return
        source, ends = f"fire:{each.point}", monotonic + LEASE_S
        self._raised[point] = source
        control.array = control.array.with_command(
            Command(point, _full(control), Priority.AUTOMATIC_LIFE_SAFETY, source, ends, reason)
        )

    def _may_raise(self, control: Control) -> bool:
        """While a system is tested only what people command through us is ours to raise."""
        is_tested = self._authority[control.system.id] is Authority.COMMISSIONING
        return not is_tested or control.array.held_at(Priority.MANUAL_OPERATOR) is not None

    def _move(self, point: PointId, after: Standing, before: Standing, who: str = "") -> None:
        self._standings[point] = after
        self._inhibited = inhibited_by(self._inputs, self._standings)
        self._lit = lit_by(self._inputs, self._standings)
        if after.is_latched != before.is_latched:
            if after.is_latched:
                self._since.setdefault(point, self._clock.now())
            else:
                self._since.pop(point, None)
            self._to_keep.set()
            self._tell_alarm(point, FIRE, is_active=after.is_latched)
        if (after.signal is Signal.LOST) != (before.signal is Signal.LOST):
            self._tell_alarm(point, FIRE_INPUT_LOST, is_active=after.signal is Signal.LOST)
        if after.state is not before.state:
            body: dict[str, JsonValue] = {"state": after.state.value, "before": before.state.value}
            self._journal.note(EventKind.FIRE, point, {**body, "who": who} if who else body)
            log.warning("fire input %s: %s", point, after.state.value)

    def _tell_alarm(self, point: PointId, alarm: str, *, is_active: bool) -> None:
        self._journal.note(EventKind.ALARM, point, {"alarm": alarm, "state": "active" if is_active else "cleared"})

    # --- beside the scan --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep what is not reset; a disk that does not take it is asked again."""
        while True:
            await self._to_keep.wait()
            try:
                await self._keep()
            except EnvironmentProblem as error:
                log.warning("fires could not be stored, tried again: %s", error)
                await asyncio.sleep(KEEP_AGAIN_EVERY_S)

    async def _keep(self) -> None:
        async with self._keeping:
            self._to_keep.clear()
            try:
                await self._store.save_fires(dict(self._since))
            except EnvironmentProblem:
                self._to_keep.set()
                raise

    async def reset(self, point: PointId | None, who: str) -> list[PointId]:
        """A person says that the fire is over: at one input, or at all. Answers what was reset.

        Raises FireResetRefused while an input says fire or is not known, EnvironmentProblem where the disk does not
        take it: it is reset all the same.
        """
        if point is not None and point not in self._standings:
            known = ", ".join(self._standings) or "none in this site"
            raise FireResetRefused(f"{point} is no fire input; there are: {known}")
        chosen = [each for each in self._standings if point in (None, each) and self._standings[each].is_latched]
        for each in chosen:
            self._require_clear(each)
        for each in chosen:
            before = self._standings[each]
            self._move(each, before._replace(is_latched=False), before, who)
        if chosen:
            self._scan.request_early()
            await self._keep()
        return chosen

    def _require_clear(self, point: PointId) -> None:
        signal = self._standings[point].signal
        if signal is Signal.FIRE:
            raise FireResetRefused(f"{point} still says fire; reset the panel first")
        if signal is Signal.LOST:
            raise FireResetRefused(f"{point} is not known to be clear; mend the input first")


def _full(control: Control) -> Scalar:
    return True if control.point.type is ValueType.BOOLEAN else control.writable.range.nearest(1.0)

"""Operators' commands outlive the process: what is commanded is stored, what has ended is forgotten."""

from __future__ import annotations

import logging
import math
from datetime import timedelta

from controller.core.command import Command, Priority
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind
from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.sample import Scalar
from controller.runtime.authorities import OURSELVES
from controller.runtime.journal import Journal
from controller.runtime.operator import Operator, OperatorCommandRefused
from controller.runtime.scan import Scan
from controller.runtime.store import Store
from controller.runtime.stored import OperatorCommand
from controller.runtime.writer import Writer

log = logging.getLogger(__name__)

# How much longer an operator's command can last if the machine dies and its wall clock is set back: seldom enough for
# a disk that wears.
SAVE_REMAINDERS_EVERY_S = 60.0


class OperatorCommands:
    def __init__(
        self, operator: Operator, scan: Scan, writer: Writer, clock: Clock, store: Store, journal: Journal
    ) -> None:
        self._operator = operator
        self._scan = scan
        self._writer = writer
        self._clock = clock
        self._store = store
        self._journal = journal
        self._stored: dict[PointId, OperatorCommand] = {}
        self._remainders_saved = -math.inf

    async def restore(self) -> None:
        stored = await self._store.load_operator_commands()
        self._stored.update({each.point: each for each in stored})
        for each in stored:
            who = each.source.removeprefix("operator:")
            try:
                self._operator.command(each.point, each.value, timedelta(seconds=each.remaining), who, each.reason)
            except OperatorCommandRefused as error:
                log.warning("the operator's command for %s is not restored: %s", each.point, error)
                body = {"step": "operator not restored", "value": each.value, "who": who, "reason": str(error)}
                self._journal.note(EventKind.COMMAND, each.point, body)

    def succeed(self, earlier: OperatorCommands) -> None:
        """After a reload; the commands themselves go over with the scan."""
        self._stored = earlier._stored
        self._remainders_saved = earlier._remainders_saved

    async def command(self, point: PointId, value: Scalar, lasting: timedelta, who: str, reason: str) -> Command:
        """Raises OperatorCommandRefused, or EnvironmentProblem where a restart would forget it."""
        command = self._operator.command(point, value, lasting, who, reason)
        stored = OperatorCommand(point, command.value, command.source, reason, lasting.total_seconds())
        try:
            await self._store.save_operator_command(stored)
        except EnvironmentProblem as error:
            self._operator.relinquish(point)
            raise EnvironmentProblem(f"{point} is not commanded: a restart would forget it: {error}") from error
        self._stored[point] = stored
        body = {"step": "operator", "value": command.value, "who": who, "for_s": lasting.total_seconds()}
        self._journal.note(EventKind.COMMAND, point, {**body, "reason": reason})
        return command

    async def relinquish(self, point: PointId, who: str) -> bool:
        """End a command and take back what somebody overrode; answers whether there was a command."""
        there_was = point not in self._scan.handshakes and self._operator.relinquish(point)
        self._writer.ledger.hand_back(point)
        self._journal.note(EventKind.COMMAND, point, {"step": "operator relinquished", "who": who})
        await self._forget(point)  # letting go does not wait for a disk
        return there_was

    def end_of_equipment(self, equipment: str) -> None:
        """It has left auto: whoever had commanded it did not know that. Back in auto it is commanded anew, not by what
        is left."""
        for id_, control in self._scan.controls.items():
            if control.point.equipment == equipment and self._operator.relinquish(id_):
                body = {"step": "operator relinquished", "who": OURSELVES, "reason": f"{equipment} is not in auto"}
                self._journal.note(EventKind.COMMAND, id_, body)

    async def end_of_system(self, system: str) -> None:
        """It was handed back to its original controls."""
        for id_, control in self._scan.controls.items():
            if control.system.id == system and self._held(id_) is not None:
                self._operator.relinquish(id_)
        await self._forget_ended()

    async def save(self) -> None:
        """What has ended and what is left of the others. Without a disk: later."""
        await self._forget_ended()
        await self._save_remainders()

    async def _forget_ended(self) -> None:
        """A wall clock that is wrong after a restart must not bring back what has ended."""
        for point in [*self._stored]:
            if self._held(point) is None:
                try:
                    await self._forget(point)
                except EnvironmentProblem as error:
                    log.debug("the operator's command for %s is still stored: %s", point, error)

    async def _save_remainders(self) -> None:
        now = self._clock.monotonic()
        if not self._stored or now - self._remainders_saved < SAVE_REMAINDERS_EVERY_S:
            return
        self._remainders_saved = now
        for point, stored in [*self._stored.items()]:
            held = self._held(point)
            if held is not None:
                try:
                    await self._store.save_operator_command(stored._replace(remaining=held.ends - now))
                except EnvironmentProblem as error:
                    log.debug("the remainder of the operator's command for %s is not stored: %s", point, error)

    async def _forget(self, point: PointId) -> None:
        await self._store.forget_operator_command(point)
        self._stored.pop(point, None)

    def _held(self, point: PointId) -> Command | None:
        control = self._scan.controls.get(point)
        return None if control is None else control.array.held_at(Priority.MANUAL_OPERATOR)

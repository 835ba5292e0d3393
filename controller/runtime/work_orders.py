"""Work orders of alarms: opened by people, or by a rule that says so, and closed with what was done."""

from __future__ import annotations

import asyncio
import logging

from controller.core.alarm import AlarmId, AlarmState
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.ports import Clock
from controller.core.work_order import WorkOrder
from controller.runtime.alarms import OURSELVES, Alarms
from controller.runtime.journal import Journal
from controller.runtime.listed_alarm import Alarm
from controller.runtime.store import Store

log = logging.getLogger(__name__)

# Closed ones are in history for ever; so many can be looked up here.
CLOSED_KEPT = 200
SAVE_AGAIN_EVERY_S = 10.0


class WorkOrderRefused(Exception):
    """Why a work order is neither opened nor closed; told to whoever asked."""


class WorkOrders:
    def __init__(self, alarms: Alarms, clock: Clock, journal: Journal, store: Store) -> None:
        self._alarms = alarms
        self._clock = clock
        self._journal = journal
        self._store = store
        self._orders: dict[int, WorkOrder] = {}
        self._unsaved: set[int] = set()
        self._to_save = asyncio.Event()
        self._saving = asyncio.Lock()
        alarms.listeners.append(self._changed)

    @property
    def all(self) -> list[WorkOrder]:
        """Oldest first; the closed ones among them as far as they are kept."""
        return [self._orders[number] for number in sorted(self._orders)]

    @property
    def open(self) -> list[WorkOrder]:
        return [each for each in self.all if each.is_open]

    def of(self, alarm: AlarmId) -> WorkOrder | None:
        """The open one."""
        return next((each for each in self._orders.values() if each.is_open and each.alarm == alarm), None)

    # --- what people do -------------------------------------------------------------------------------------------

    async def place(self, name: str, who: str, text: str) -> WorkOrder:
        """Raises WorkOrderRefused, or EnvironmentProblem where a restart would forget it."""
        alarm = next((each for each in self._alarms.all if str(each.id) == name), None)
        if alarm is None:
            raise WorkOrderRefused(f"there is no alarm {name!r} in the list; see: tidewatt alarms SITE list --all")
        if not text:
            raise WorkOrderRefused("say what is to be done, and by whom: --text 'Wang: replace the contactor'")
        present = self.of(alarm.id)
        if present is not None:
            raise WorkOrderRefused(f"{name} has work order {present.number} already: {present.text}")
        order = self._place(alarm, who, text)
        await self._save()
        return order

    async def close(self, name: str, who: str, done: str, even_so: str = "") -> WorkOrder:
        """name: of the alarm, or the order's number. Raises as `place` does."""
        order = next((each for each in self.open if name in (str(each.number), str(each.alarm))), None)
        if order is None:
            raise WorkOrderRefused(f"{name} has no open work order")
        if not done:
            raise WorkOrderRefused("say what was done: --text 'contactor replaced'")
        if self._is_active(order.alarm) and not even_so:
            raise WorkOrderRefused(
                f"{order.alarm} is still active; close work order {order.number} once it is over, or say why not: "
                "--even-so 'the spare part comes on Monday'"
            )
        closed = order._replace(closed=self._clock.now(), closed_by=who, done=done, even_so=even_so)
        self._keep(closed)
        said: dict[str, JsonValue] = {"who": who, "done": done}
        self._note(closed, "work order closed", {**said, "why": even_so} if even_so else said)
        await self._save()
        return closed

    def _is_active(self, id_: AlarmId) -> bool:
        alarm = self._alarms.get(id_)
        return alarm is not None and (alarm.standing.is_active or alarm.standing.condition)

    # --- what a rule does -----------------------------------------------------------------------------------------

    def _changed(self, alarm: Alarm, _: AlarmState) -> None:
        if alarm.state is not AlarmState.UNACKNOWLEDGED or not alarm.behaviour.orders_work:
            return
        for order in self._orders.values():
            # After a restart, or once it is shown again, it is still the alarm that was ordered for.
            is_known = alarm.raised is not None and order.opened >= alarm.raised
            if order.alarm == alarm.id and (order.is_open or is_known):
                return
        self._place(alarm, OURSELVES, alarm.wording.advice.en or alarm.wording.wrong.en)

    def _place(self, alarm: Alarm, who: str, text: str) -> WorkOrder:
        order = WorkOrder(max(self._orders, default=0) + 1, alarm.id, self._clock.now(), who, text)
        self._keep(order)
        self._note(order, "work order opened", {"who": who, "text": text})
        return order

    def _keep(self, order: WorkOrder) -> None:
        self._orders[order.number] = order
        self._unsaved.add(order.number)
        closed = [each.number for each in self.all if not each.is_open]
        for number in closed[: max(0, len(closed) - CLOSED_KEPT)]:
            del self._orders[number]
            self._unsaved.add(number)
        self._to_save.set()

    def _note(self, order: WorkOrder, state: str, said: dict[str, JsonValue]) -> None:
        alarm = self._alarms.get(order.alarm)
        priority = "" if alarm is None else alarm.behaviour.priority.name.lower()
        body: dict[str, JsonValue] = {"alarm": order.alarm.name, "state": state, "priority": priority}
        self._journal.note(EventKind.ALARM, order.alarm.subject, {**body, "number": order.number, **said})

    # --- what survives --------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """Before the alarms are: what rules have ordered is not ordered twice."""
        self._orders = {each.number: each for each in await self._store.load_work_orders()}

    def succeed(self, earlier: WorkOrders) -> None:
        """Go on with the orders of an earlier configuration, whatever has become of their alarms."""
        self._orders, self._unsaved = earlier._orders, earlier._unsaved
        self._to_save.set()

    async def run(self) -> None:
        """Keep what rules have ordered; a disk that does not take it is asked again."""
        while True:
            await self._to_save.wait()
            try:
                await self._save()
            except EnvironmentProblem as error:
                log.warning("work orders could not be stored, tried again: %s", error)
                await asyncio.sleep(SAVE_AGAIN_EVERY_S)

    async def _save(self) -> None:
        async with self._saving:
            self._to_save.clear()
            unsaved, self._unsaved = self._unsaved, set()
            kept = [self._orders[number] for number in unsaved if number in self._orders]
            try:
                await self._store.save_work_orders(kept, [number for number in unsaved if number not in self._orders])
            except EnvironmentProblem:
                self._unsaved |= unsaved
                self._to_save.set()
                raise

"""What must outlive the process: small, synchronous FULL, every change one transaction.

Held here: authority, what we hold at the devices (committed *before* bytes leave), operator commands, strategy
states and plans, trained forecasts, the equipment log, alarms that outlive a restart, work orders, fires not reset,
people's locks on equipment and how often it has tripped, what the guard counts (starts, writes to registers that wear),
the calendar's last runs, the event chain's newest known link, the configuration in force, and whether the last exit was
clean.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

from controller.core.availability import Lockout
from controller.core.errors import EnvironmentProblem
from controller.core.event_chain import ChainHead
from controller.core.forecast import Trained
from controller.core.point import PointId
from controller.core.sample import Scalar
from controller.core.system import Authority
from controller.core.text import Text
from controller.core.work_order import WorkOrder
from controller.runtime.store_database import Database
from controller.runtime.stored import (
    ConfigurationInForce,
    Held,
    OperatorCommand,
    StoredAlarm,
    StoredAvailability,
    StoredEquipment,
    StoredPlan,
    StoredStarts,
    StoredState,
    StoredWear,
    availability_of,
    plain_availability,
    remainder,
    score_of,
    work_order_of,
)

# How the last run stands: at work or dead, ended with everything let go, ended on purpose with something left.
_STATE, _RUNNING, _ENDED, _LEFT = "state", "running", "ended", "left"
# When health last proved that the disk takes a change.
_PROVED = "proved"
_CHAIN_HEAD = "chain_head"
_CONFIGURATION = "configuration"


# The same few values again and again, and an encoder for each would cost more than the rest of the row.
@lru_cache(maxsize=4096, typed=True)
def _json_of(value: Scalar | None) -> str:
    return json.dumps(value)


class Store(Database):
    """What there is to keep, table by table."""

    async def load_authority(self) -> dict[str, Authority]:
        rows = await self._query("SELECT system, authority FROM authority")
        return {system: Authority(authority) for system, authority in rows}

    async def save_authority(self, system: str, authority: Authority) -> None:
        await self._change("REPLACE INTO authority VALUES (?, ?)", [(system, authority.value)])

    async def load_held(self) -> list[Held]:
        rows = await self._query("SELECT point, value, before, earlier FROM intent")
        return [Held(PointId(row[0]), *map(json.loads, row[1:])) for row in rows]

    async def save_held(self, held: Sequence[Held]) -> None:
        """Commit the intents; only then may bytes leave."""
        at = self._clock.now().isoformat()
        await self._change(
            "REPLACE INTO intent (point, value, before, earlier, at) VALUES (?, ?, ?, ?, ?)",
            [(point, *map(_json_of, (value, before, earlier)), at) for point, value, before, earlier in held],
        )

    async def forget_held(self, points: Sequence[PointId]) -> None:
        await self._change("DELETE FROM intent WHERE point = ?", [(point,) for point in points])

    async def load_operator_commands(self) -> list[OperatorCommand]:
        """Commands that have not ended: by the stored remainder and by the wall clock, whichever ends first."""
        now = self._clock.now()
        rows = await self._query("SELECT point, value, source, reason, remaining_s, saved FROM operator_command")
        commands = [
            OperatorCommand(PointId(point), json.loads(value), source, reason, remainder(remaining, saved, now))
            for point, value, source, reason, remaining, saved in rows
        ]
        for command in commands:
            if command.remaining <= 0:
                await self.forget_operator_command(command.point)
        return [command for command in commands if command.remaining > 0]

    async def save_operator_command(self, command: OperatorCommand) -> None:
        await self._change(
            "REPLACE INTO operator_command VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    command.point,
                    json.dumps(command.value),
                    command.source,
                    command.reason,
                    command.remaining,
                    self._clock.now().isoformat(),
                )
            ],
        )

    async def forget_operator_command(self, point: PointId) -> None:
        await self._change("DELETE FROM operator_command WHERE point = ?", [(point,)])

    async def load_states(self) -> dict[str, StoredState]:
        rows = await self._query("SELECT mount, kind, version, state FROM strategy")
        return {mount: StoredState(kind, version, json.loads(state)) for mount, kind, version, state in rows}

    async def save_states(self, states: Mapping[str, StoredState]) -> None:
        await self._change(
            "REPLACE INTO strategy VALUES (?, ?, ?, ?)",
            [(mount, each.kind, each.version, json.dumps(each.state)) for mount, each in states.items()],
        )

    async def load_plans(self) -> dict[str, StoredPlan]:
        rows = await self._query("SELECT mount, made, plan FROM plan")
        return {mount: StoredPlan(datetime.fromisoformat(made), json.loads(plan)) for mount, made, plan in rows}

    async def save_plan(self, mount: str, plan: StoredPlan) -> None:
        await self._change(
            "REPLACE INTO plan VALUES (?, ?, ?)",
            [(mount, plan.made.astimezone(UTC).isoformat(), json.dumps(plan.plan))],
        )

    async def load_trained(self) -> dict[PointId, Trained]:
        rows = await self._query("SELECT point, at, model, made_by, score, reason FROM trained")
        return {
            PointId(point): Trained(
                datetime.fromisoformat(at), model, score_of(json.loads(score)), Text(*json.loads(reason)), made_by
            )
            for point, at, model, made_by, score, reason in rows
        }

    async def save_trained(self, point: PointId, trained: Trained) -> None:
        await self._change(
            "REPLACE INTO trained VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    point,
                    trained.at.astimezone(UTC).isoformat(),
                    trained.model,
                    trained.made_by,
                    json.dumps(trained.score),
                    json.dumps(trained.reason),
                )
            ],
        )

    async def load_alarms(self) -> set[tuple[str, str]]:
        """(subject, alarm) of those that were active."""
        return {(subject, alarm) for subject, alarm in await self._query("SELECT subject, alarm FROM alarm")}

    async def save_alarm(self, subject: str, alarm: str, *, active: bool) -> None:
        change = "REPLACE INTO alarm VALUES (?, ?)" if active else "DELETE FROM alarm WHERE subject = ? AND alarm = ?"
        await self._change(change, [(subject, alarm)])

    async def load_alarm_standings(self) -> list[StoredAlarm]:
        rows = await self._query("SELECT subject, name, is_rule, saved, content FROM alarm_standing")
        return [
            StoredAlarm(subject, name, bool(is_rule), datetime.fromisoformat(saved), json.loads(content))
            for subject, name, is_rule, saved, content in rows
        ]

    async def save_alarm_standings(
        self, standings: Sequence[StoredAlarm], normal_again: Sequence[tuple[str, str]]
    ) -> None:
        await self._change(
            "REPLACE INTO alarm_standing VALUES (?, ?, ?, ?, ?)",
            [
                (each.subject, each.name, each.is_rule, each.saved.isoformat(), json.dumps(each.content))
                for each in standings
            ],
        )
        if normal_again:
            await self._change("DELETE FROM alarm_standing WHERE subject = ? AND name = ?", normal_again)

    async def load_work_orders(self) -> list[WorkOrder]:
        rows = await self._query("SELECT number, content FROM work_order")
        return [work_order_of(number, json.loads(content)) for number, content in rows]

    async def save_work_orders(self, orders: Sequence[WorkOrder], forgotten: Sequence[int]) -> None:
        rows = [(order.number, json.dumps(order[1:], default=datetime.isoformat)) for order in orders]
        await self._change("REPLACE INTO work_order VALUES (?, ?)", rows)
        if forgotten:
            await self._change("DELETE FROM work_order WHERE number = ?", [(number,) for number in forgotten])

    async def load_equipment(self) -> list[StoredEquipment]:
        rows = await self._query("SELECT equipment, part, saved, content FROM equipment")
        return [
            StoredEquipment(equipment, part, datetime.fromisoformat(saved), json.loads(content))
            for equipment, part, saved, content in rows
        ]

    async def save_equipment(self, parts: Sequence[StoredEquipment]) -> None:
        await self._change(
            "REPLACE INTO equipment VALUES (?, ?, ?, ?)",
            [(each.equipment, each.part, each.saved.isoformat(), json.dumps(each.content)) for each in parts],
        )

    async def load_fires(self) -> dict[PointId, datetime]:
        """By input, since when: the fires that nobody has reset."""
        rows = await self._query("SELECT input, since FROM fire")
        return {PointId(point): datetime.fromisoformat(since) for point, since in rows}

    async def save_fires(self, fires: Mapping[PointId, datetime]) -> None:
        """These and no others are not reset."""
        known = await self.load_fires()
        over = [(point,) for point in known if point not in fires]
        if over:
            await self._change("DELETE FROM fire WHERE input = ?", over)
        if fires:
            rows = [(point, since.astimezone(UTC).isoformat()) for point, since in fires.items()]
            await self._change("REPLACE INTO fire VALUES (?, ?)", rows)

    async def load_lockouts(self) -> list[Lockout]:
        rows = await self._query("SELECT equipment, who, reason, since FROM lockout")
        return [
            Lockout(equipment, who, reason, datetime.fromisoformat(since)) for equipment, who, reason, since in rows
        ]

    async def save_lockout(self, lockout: Lockout) -> None:
        since = lockout.since.astimezone(UTC).isoformat()
        await self._change("REPLACE INTO lockout VALUES (?, ?, ?, ?)", [(*lockout[:3], since)])

    async def forget_lockout(self, equipment: str, who: str) -> None:
        await self._change("DELETE FROM lockout WHERE equipment = ? AND who = ?", [(equipment, who)])

    async def load_availability(self) -> dict[str, StoredAvailability]:
        rows = await self._query("SELECT equipment, content FROM availability")
        return {equipment: availability_of(json.loads(content)) for equipment, content in rows}

    async def save_availability(self, content: Mapping[str, StoredAvailability]) -> None:
        """Of all equipment that has anything to remember; of the rest nothing is kept."""
        known = await self._query("SELECT equipment FROM availability")
        await self._change(
            "DELETE FROM availability WHERE equipment = ?", [row for row in known if row[0] not in content]
        )
        rows = [(equipment, json.dumps(plain_availability(each))) for equipment, each in content.items()]
        await self._change("REPLACE INTO availability VALUES (?, ?)", rows)

    async def load_starts(self) -> list[StoredStarts]:
        rows = await self._query("SELECT point, ran, starts FROM guard_starts")
        return [
            StoredStarts(PointId(point), bool(ran), tuple(map(datetime.fromisoformat, json.loads(starts))))
            for point, ran, starts in rows
        ]

    async def save_starts(self, starts: Sequence[StoredStarts]) -> None:
        await self._change(
            "REPLACE INTO guard_starts VALUES (?, ?, ?)",
            [(each.point, each.ran, json.dumps([start.isoformat() for start in each.starts])) for each in starts],
        )

    async def load_wear(self) -> list[StoredWear]:
        rows = await self._query("SELECT point, day, writes, last FROM guard_wear")
        return [
            StoredWear(PointId(point), date.fromisoformat(day), writes, datetime.fromisoformat(last))
            for point, day, writes, last in rows
        ]

    async def save_wear(self, wear: Sequence[StoredWear]) -> None:
        await self._change(
            "REPLACE INTO guard_wear VALUES (?, ?, ?, ?)",
            [(each.point, each.day.isoformat(), each.writes, each.last.isoformat()) for each in wear],
        )

    async def load_calendar(self) -> dict[str, date]:
        rows = await self._query("SELECT job, ran_on FROM calendar")
        return {job: date.fromisoformat(ran_on) for job, ran_on in rows}

    async def save_calendar(self, job: str, ran_on: date) -> None:
        await self._change("REPLACE INTO calendar VALUES (?, ?)", [(job, ran_on.isoformat())])

    async def begin_run(self) -> bool:
        """Mark a run as begun; answers whether the run before ended cleanly (or there was none)."""
        state = await self.load_run(_STATE)
        await self.save_run(_STATE, _RUNNING)
        return state in (None, _ENDED)

    async def was_ended_on_purpose(self) -> bool:
        """Whether somebody asked the run before to end (or there was none), whatever it left behind."""
        return await self.load_run(_STATE) != _RUNNING

    async def end_run(self, *, cleanly: bool = True) -> None:
        """It was asked to end; cleanly: everything was let go."""
        await self.save_run(_STATE, _ENDED if cleanly else _LEFT)

    async def prove(self) -> None:
        """That the disk takes a change now; raises EnvironmentProblem where it does not."""
        await self.save_run(_PROVED, self._clock.now().isoformat())

    async def essentials(self) -> list[str]:
        """Who has which system, which points are held and what is locked out: without it a start would not know what
        to let go, nor what to leave alone."""
        rows = await self._query(
            "SELECT system || ' ' || authority FROM authority UNION ALL SELECT point FROM intent"
            " UNION ALL SELECT equipment || ' ' || who FROM lockout"
        )
        return sorted(row[0] for row in rows)

    async def load_configuration(self) -> ConfigurationInForce | None:
        """What was in force when it was last asked for."""
        stored = await self.load_run(_CONFIGURATION)
        return None if stored is None else ConfigurationInForce(*json.loads(stored))

    async def save_configuration(self, configuration: ConfigurationInForce) -> None:
        await self.save_run(_CONFIGURATION, json.dumps(configuration))

    async def load_chain_head(self) -> ChainHead | None:
        """Up to where the event chain of history was known."""
        return await self._run(lambda: kept_chain_head(self._database))

    async def save_chain_head(self, head: ChainHead) -> None:
        await self.save_run(_CHAIN_HEAD, json.dumps([head.number, head.at, head.chain.hex()]))


def held_by(path: Path) -> tuple[PointId, ...]:
    """What a daemon that does not run may still hold; without touching its store, so that one may start meanwhile.

    Raises EnvironmentProblem where the file cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return tuple(PointId(row[0]) for row in database.execute("SELECT point FROM intent ORDER BY point"))
    except sqlite3.Error as error:
        raise EnvironmentProblem(f"{path}: the state store cannot be read: {error}") from error


def kept_chain_head(database: sqlite3.Connection) -> ChainHead | None:
    """For whoever looks at the file beside the daemon, too."""
    row = database.execute("SELECT value FROM run WHERE key = ?", (_CHAIN_HEAD,)).fetchone()
    if row is None:
        return None
    number, at, chain = json.loads(row[0])
    return ChainHead(number, at, bytes.fromhex(chain))

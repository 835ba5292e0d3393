"""What must outlive the process: small, synchronous FULL, every change one transaction.

Held here: authority, what we hold at the devices (committed *before* bytes leave), operator commands, strategy
states and plans, trained forecasts, the equipment log, alarms that outlive a restart, fires that nobody has reset,
people's locks on equipment and how often it has tripped, what the guard counts (starts, writes to registers that wear),
the calendar's last runs, the event chain's newest known link, the configuration in force, and whether the last exit was
clean.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from controller.core.availability import Availability, Cause, Lockout
from controller.core.errors import EnvironmentProblem
from controller.core.event_chain import ChainHead
from controller.core.forecast import Trained
from controller.core.forecast_score import Score
from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.sample import Scalar
from controller.core.system import Authority
from controller.core.text import Text
from controller.runtime import store_file
from controller.runtime.store_file import Damage

ResultT = TypeVar("ResultT")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS authority (system TEXT PRIMARY KEY, authority TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intent (
    point TEXT PRIMARY KEY, value TEXT NOT NULL, earlier TEXT NOT NULL, before TEXT NOT NULL, at TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS operator_command (
    point TEXT PRIMARY KEY, value TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL, remaining_s REAL NOT NULL,
    saved TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS strategy (
    mount TEXT PRIMARY KEY, kind TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS plan (mount TEXT PRIMARY KEY, made TEXT NOT NULL, plan TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calendar (job TEXT PRIMARY KEY, ran_on TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trained (
    point TEXT PRIMARY KEY, at TEXT NOT NULL, model BLOB, made_by TEXT NOT NULL, score TEXT NOT NULL,
    reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarm (subject TEXT, alarm TEXT, PRIMARY KEY (subject, alarm)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarm_standing (
    subject TEXT, name TEXT, is_rule INTEGER NOT NULL, saved TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (subject, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS equipment (
    equipment TEXT, part TEXT, saved TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (equipment, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fire (input TEXT PRIMARY KEY, since TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lockout (
    equipment TEXT, who TEXT, reason TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (equipment, who)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS availability (equipment TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS guard_starts (point TEXT PRIMARY KEY, ran INTEGER NOT NULL, starts TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS guard_wear (
    point TEXT PRIMARY KEY, day TEXT NOT NULL, writes INTEGER NOT NULL, last TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

# How the last run stands: at work or dead, ended with everything let go, ended on purpose with something left.
_STATE, _RUNNING, _ENDED, _LEFT = "state", "running", "ended", "left"
# When health last proved that the disk takes a change.
_PROVED = "proved"


_CHAIN_HEAD = "chain_head"
_DAMAGE = "damage"
_CONFIGURATION = "configuration"


class Held(NamedTuple):
    """A point in our hands: what we meant to write, what stood there before us, and what we had written earlier, which
    the device still has if the new value's bytes never left."""

    point: PointId
    value: Scalar
    before: Scalar | None
    earlier: Scalar | None = None


class Left(NamedTuple):
    """What the store of a daemon that does not run says: what it may still hold, and whether it ended cleanly."""

    held: tuple[PointId, ...]
    ended_cleanly: bool


class OperatorCommand(NamedTuple):
    point: PointId
    value: Scalar
    source: str
    reason: str
    remaining: float


class StoredState(NamedTuple):
    kind: str
    version: int
    state: Any


class StoredAlarm(NamedTuple):
    """An alarm that is not normal. is_rule: raised by a rule of the site. content: plain JSON."""

    subject: str
    name: str
    is_rule: bool
    saved: datetime
    content: dict[str, Any]


class StoredEquipment(NamedTuple):
    """One part of what the log knows of an equipment: how it ran, what was done to it. content: plain JSON."""

    equipment: str
    part: str
    saved: datetime
    content: Any


class ConfigurationInForce(NamedTuple):
    """digest: of the compiled site. modes: of its strategies, by mount."""

    digest: str
    modes: dict[str, str]


class StoredAvailability(NamedTuple):
    """Why equipment was not in auto, and when it has tripped lately, aware UTC."""

    causes: tuple[Cause, ...]
    trips: tuple[datetime, ...]


class StoredStarts(NamedTuple):
    """ran: whether the machine ran when it was last known. starts: those of the last hour."""

    point: PointId
    ran: bool
    starts: tuple[datetime, ...]


class StoredWear(NamedTuple):
    """writes: of that local day. last: when the register was last written."""

    point: PointId
    day: date
    writes: int
    last: datetime


class StoredPlan(NamedTuple):
    made: datetime
    plan: Any


class Store:
    """`path` None keeps everything in memory, for tests and backtests. Files are touched on a thread of their own.

    contents: what a store in memory held when it was closed; another one goes on from there.
    """

    def __init__(self, path: Path | None, clock: Clock, contents: bytes = b"") -> None:
        self.contents = contents
        self._clock = clock
        self._in_memory = path is None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._path = path
        try:
            damage = None
            if path is None:
                self._database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
                if contents:
                    self._database.deserialize(contents)
            else:
                self._database, damage = store_file.open_whole(path, clock.now())
            self._database.executescript(_SCHEMA)
            if damage is not None:  # told by the next daemon, whoever has opened the store before it
                self._commit("REPLACE INTO run VALUES (?, ?)", [(_DAMAGE, json.dumps(damage))])
        except (sqlite3.Error, OSError) as error:
            raise EnvironmentProblem(f"{path}: the state store cannot be opened: {error}") from error

    async def close(self) -> None:
        try:
            if self._in_memory:
                self.contents = self._database.serialize()
            await self._run(self._database.close)
        finally:
            self._thread.shutdown(wait=True)

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
            [(point, *map(json.dumps, (value, before, earlier)), at) for point, value, before, earlier in held],
        )

    async def forget_held(self, points: Sequence[PointId]) -> None:
        await self._change("DELETE FROM intent WHERE point = ?", [(point,) for point in points])

    async def load_operator_commands(self) -> list[OperatorCommand]:
        """Commands that have not ended: by the stored remainder and by the wall clock, whichever ends first."""
        now = self._clock.now()
        rows = await self._query("SELECT point, value, source, reason, remaining_s, saved FROM operator_command")
        commands = [
            OperatorCommand(PointId(point), json.loads(value), source, reason, _remaining(remaining, saved, now))
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
                datetime.fromisoformat(at), model, _score(json.loads(score)), Text(*json.loads(reason)), made_by
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
        return {equipment: _availability(json.loads(content)) for equipment, content in rows}

    async def save_availability(self, content: Mapping[str, StoredAvailability]) -> None:
        """Of all equipment that has anything to remember; of the rest nothing is kept."""
        known = await self._query("SELECT equipment FROM availability")
        await self._change(
            "DELETE FROM availability WHERE equipment = ?", [row for row in known if row[0] not in content]
        )
        rows = [(equipment, json.dumps(_plain(each))) for equipment, each in content.items()]
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

    async def load_run(self, key: str) -> str | None:
        rows = await self._query("SELECT value FROM run WHERE key = ?", key)
        return rows[0][0] if rows else None

    async def save_run(self, key: str, value: str) -> None:
        await self._change("REPLACE INTO run VALUES (?, ?)", [(key, value)])

    async def _query(self, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        return await self._run(lambda: self._database.execute(sql, parameters).fetchall())

    async def load_damage(self) -> Damage | None:
        """What was wrong with the file that this one replaces, until somebody was told."""
        stored = await self.load_run(_DAMAGE)
        return None if stored is None else Damage(*json.loads(stored))

    async def forget_damage(self) -> None:
        await self._change("DELETE FROM run WHERE key = ?", [(_DAMAGE,)])

    async def essentials(self) -> list[str]:
        """Who has which system, which points are held and what is locked out: without it a start would not know what
        to let go, nor what to leave alone."""
        rows = await self._query(
            "SELECT system || ' ' || authority FROM authority UNION ALL SELECT point FROM intent"
            " UNION ALL SELECT equipment || ' ' || who FROM lockout"
        )
        return sorted(row[0] for row in rows)

    async def copy(self) -> None:
        """Replace the last good copy of the file."""
        path = self._path
        if path is not None:
            await self._run(lambda: store_file.copy(self._database, path))

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

    async def _change(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        await self._run(lambda: self._commit(sql, rows))

    def _commit(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany(sql, rows)
        except BaseException:
            # Also what is wrong with the rows themselves must not leave a transaction open.
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        try:
            if self._in_memory:
                return work()
            with self._clock.outside():
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            raise EnvironmentProblem(f"the state store failed: {error}") from error


def left_by(path: Path) -> Left:
    """Look without touching: no lock, no change, so that a daemon may start meanwhile.

    Raises EnvironmentProblem where the file cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            held = tuple(PointId(row[0]) for row in database.execute("SELECT point FROM intent ORDER BY point"))
            states = database.execute("SELECT value FROM run WHERE key = ?", (_STATE,)).fetchall()
    except sqlite3.Error as error:
        raise EnvironmentProblem(f"{path}: the state store cannot be read: {error}") from error
    return Left(held, not states or states[0][0] == _ENDED)


def kept_chain_head(database: sqlite3.Connection) -> ChainHead | None:
    """For whoever looks at the file beside the daemon, too."""
    row = database.execute("SELECT value FROM run WHERE key = ?", (_CHAIN_HEAD,)).fetchone()
    if row is None:
        return None
    number, at, chain = json.loads(row[0])
    return ChainHead(number, at, bytes.fromhex(chain))


def _score(stored: list[Any] | None) -> Score | None:
    """None also where another version measured other things."""
    return Score(*stored) if stored is not None and len(stored) == len(Score._fields) else None


def _remaining(remaining: float, saved: str, now: datetime) -> float:
    elapsed = (now - datetime.fromisoformat(saved)).total_seconds()
    # A wall clock that was set back must not lengthen a lease.
    return min(remaining, remaining - elapsed)


def _plain(each: StoredAvailability) -> dict[str, Any]:
    return {
        "causes": [[cause.availability.value, *cause.reason] for cause in each.causes],
        "trips": [trip.astimezone(UTC).isoformat() for trip in each.trips],
    }


def _availability(content: dict[str, Any]) -> StoredAvailability:
    causes = tuple(Cause(Availability(name), Text(en, zh)) for name, en, zh in content["causes"])
    return StoredAvailability(causes, tuple(map(datetime.fromisoformat, content["trips"])))

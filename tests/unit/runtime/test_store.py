"""What must outlive the process, on a real file."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from controller.core.errors import EnvironmentProblem
from controller.core.forecast import Trained
from controller.core.forecast_score import Score
from controller.core.point import PointId
from controller.core.sample import Scalar
from controller.core.system import Authority
from controller.core.text import Text
from controller.runtime.store import Store
from controller.runtime.stored import Held, OperatorCommand, StoredPlan, StoredState
from tests.hand_clock import HandClock

POWER, OTHER_POWER = PointId("meter.main_1.power"), PointId("plant.chilled_water_loop_1.cooling_load")
TRAINED = Trained(
    datetime(2026, 7, 5, 16, tzinfo=UTC),
    b"\x00model",
    Score(336, 100.0, 5.0, 7.5, 0.1, 10.0, 15.0),
    Text("better by 50 %", "误差小 50 %"),
    "made by these",
)
UNTRAINED = Trained(TRAINED.at, None, None, Text("too short", "太短"))
POINT, OTHER = PointId("garage.group_1.brightness_command"), PointId("plant.pump_1.command")


async def test_everything_survives_being_opened_again(tmp_path: Path) -> None:
    clock = HandClock()
    store = Store(tmp_path / "store.db", clock)
    made = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
    await store.save_authority("plant", Authority.TIDEWATT)
    await store.save_held([Held(POINT, 0.5, 1.0), Held(OTHER, True, False, None)])
    await store.save_held([Held(POINT, 0.7, 1.0, 0.5)])
    await store.save_states({"desk": StoredState("follow", 3, {"decisions": 4})})
    await store.save_plan("sun", StoredPlan(made, {"set": "18:42"}))
    await store.save_calendar("history", date(2026, 7, 6))
    await store.save_trained(POWER, TRAINED)
    await store.save_trained(OTHER_POWER, UNTRAINED)
    await store.save_alarm("tower", "tariff ends", active=True)
    await store.save_alarm("tower", "something else", active=True)
    await store.save_alarm("tower", "something else", active=False)
    await store.close()

    store = Store(tmp_path / "store.db", clock)
    assert await store.load_authority() == {"plant": Authority.TIDEWATT}
    assert set(await store.load_held()) == {Held(POINT, 0.7, 1.0, 0.5), Held(OTHER, True, False)}
    assert await store.load_states() == {"desk": StoredState("follow", 3, {"decisions": 4})}
    assert await store.load_plans() == {"sun": StoredPlan(made, {"set": "18:42"})}
    assert await store.load_calendar() == {"history": date(2026, 7, 6)}
    assert await store.load_trained() == {POWER: TRAINED, OTHER_POWER: UNTRAINED}
    assert await store.load_alarms() == {("tower", "tariff ends")}
    await store.forget_held([POINT])
    assert [each.point for each in await store.load_held()] == [OTHER]
    await store.close()


@pytest.mark.parametrize("value", [True, False, 0, 7, 0.1, 1e-300, "auto", "节能"])
async def test_a_value_comes_back_in_its_own_type(tmp_path: Path, value: Scalar) -> None:
    store = Store(tmp_path / "store.db", HandClock())
    await store.save_held([Held(POINT, value, None)])
    (held,) = await store.load_held()
    assert (held.value, type(held.value), held.before, held.earlier) == (value, type(value), None, None)
    await store.close()


@pytest.mark.parametrize(
    "away, remaining",
    [
        (timedelta(0), 600.0),
        (timedelta(seconds=400), 200.0),
        (timedelta(seconds=600), None),
        (timedelta(days=400), None),
        (timedelta(days=-4000), 600.0),
    ],
)
async def test_a_lease_never_comes_back_longer(tmp_path: Path, away: timedelta, remaining: float | None) -> None:
    start = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
    store = Store(tmp_path / "store.db", HandClock(start))
    await store.save_operator_command(OperatorCommand(POINT, 0.8, "operator:mei", "event", 600.0))
    await store.close()

    store = Store(tmp_path / "store.db", HandClock(start + away))
    commands = await store.load_operator_commands()
    assert [command.remaining for command in commands] == ([] if remaining is None else [remaining])
    await store.close()
    if remaining is None:
        # Once ended, for good: a clock that loses its date afterwards brings nothing back.
        store = Store(tmp_path / "store.db", HandClock(start - timedelta(days=4000)))
        assert await store.load_operator_commands() == []
        await store.close()


async def test_whether_the_run_before_ended_cleanly(tmp_path: Path) -> None:
    answers: list[bool] = []
    for ends in (True, False, True):
        store = Store(tmp_path / "store.db", HandClock())
        answers.append(await store.begin_run())
        if ends:
            await store.end_run()
        await store.close()
    assert answers == [True, True, False]


async def test_a_batch_of_intents_is_all_or_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db", HandClock())
    with sqlite3.connect(tmp_path / "store.db") as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON intent WHEN NEW.point LIKE 'plant%'"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    database.close()
    with pytest.raises(EnvironmentProblem, match="the state store failed"):
        await store.save_held([Held(POINT, 0.5, 1.0), Held(OTHER, True, False)])
    assert await store.load_held() == []
    await store.save_held([Held(POINT, 0.5, 1.0)])
    assert len(await store.load_held()) == 1
    await store.close()


@pytest.mark.parametrize("content", [b"\x00" * 4096, b"this is no database, whatever its name says" * 50])
async def test_a_file_that_is_no_store_is_kept_and_a_fresh_one_begins(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    store = Store(path, HandClock())
    damage = await store.load_damage()
    assert damage is not None
    assert (tmp_path / damage.kept_as).read_bytes() == content
    assert not damage.from_copy
    assert await store.load_held() == []
    await store.close()


def test_a_folder_that_is_not_there_is_one_clear_problem(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be opened"):
        Store(tmp_path / "nowhere" / "store.db", HandClock())


async def test_a_row_that_cannot_be_stored_leaves_the_store_usable(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db", HandClock())
    half_a_character = "li\udc80na"
    with pytest.raises(UnicodeEncodeError):
        await store.save_operator_command(OperatorCommand(POINT, 0.5, f"operator:{half_a_character}", "", 60.0))
    await store.save_authority("plant", Authority.TIDEWATT)
    assert await store.load_authority() == {"plant": Authority.TIDEWATT}
    await store.close()

"""What staff were asked and have answered, as the command lists it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from controller.app import main
from controller.core.errors import EnvironmentProblem
from controller.sunclock.tasks import Asked, Task, Tasks

DUE = datetime(2020, 3, 20, 12, tzinfo=UTC)
LATER = datetime(2199, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    return Tasks(tmp_path / "tasks.db", make=True)


def ask(tasks: Tasks, *places: str, due: datetime = DUE) -> list[Task]:
    return tasks.ask([Asked(place, date(2020, 3, 20), "on 18:20") for place in places], due)


def test_asking_again_keeps_the_word_the_answer_and_the_time_due(tasks: Tasks) -> None:
    (task,) = ask(tasks, "East")
    tasks.answer(task.word, DUE, "Li")
    (again,) = ask(tasks, "East", due=LATER)
    assert (again.word, again.done, again.who, again.due) == (task.word, DUE, "Li", DUE)


def test_a_task_that_nobody_was_sent_is_due_so_long_after_it_is_asked_again(tasks: Tasks) -> None:
    ask(tasks, "East")
    (again,) = ask(tasks, "East", due=LATER)
    assert again.due == LATER


def test_a_place_has_not_answered_until_it_has_or_a_later_day_is_done(tasks: Tasks) -> None:
    def of_day(day: int, *places: str) -> list[Task]:
        made = tasks.ask([Asked(place, date(2020, 3, day), "on") for place in places], DUE)
        tasks.sent([task.word for task in made], DUE)
        return made

    def silent(now: datetime = LATER) -> list[tuple[str, int]]:
        return [(task.place, task.day.day) for task in tasks.unanswered(now)]

    of_day(20, "East", "West", "Gone")
    east, _ = of_day(21, "East", "West")
    assert silent() == [("East", 20), ("West", 20)]
    assert silent(datetime(2020, 3, 20, 11, tzinfo=UTC)) == []
    tasks.answer(east.word, DUE, "Li")
    assert silent() == [("West", 20)]
    tasks.ask([Asked("North", date(2020, 3, 21), "on")], DUE)
    assert silent() == [("West", 20)], "nobody has sent North anything yet"


def test_what_is_older_than_a_year_is_forgotten(tasks: Tasks) -> None:
    ask(tasks, "East")
    tasks.ask([Asked("East", date(2021, 3, 20), "on 18:20")], DUE)
    assert [task.day.year for task in tasks.everything()] == [2020, 2021]
    tasks.ask([Asked("East", date(2021, 6, 1), "on 18:20")], DUE)
    assert [task.day.year for task in tasks.everything()] == [2021, 2021]


def test_the_list_tells_how_each_stands_and_no_word(
    tasks: Tasks, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")
    done, late, told, quiet, asked = [
        *ask(tasks, "Done", "Late", "Told"),
        *ask(tasks, "Quiet", "Asked", due=LATER),
    ]
    tasks.sent([task.word for task in (done, late, told, asked)], DUE)
    tasks.answer(done.word, DUE, "Li")
    tasks.escalated([told.word], DUE)
    assert main(["sunclock-tasks", f"{tmp_path}/tasks.db", "list", "--all"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "2020-03-20 Asked: asked",
        "2020-03-20 Done: done 2020-03-20 12:00Z Li",
        "2020-03-20 Late: OVERDUE",
        "2020-03-20 Quiet: NOT SENT",
        "2020-03-20 Told: ESCALATED",
    ]
    main(["sunclock-tasks", f"{tmp_path}/tasks.db", "list", "--json"])
    out = capsys.readouterr().out
    assert [(each["place"], each["state"]) for each in json.loads(out)][1:] == [
        ("Late", "overdue"),
        ("Quiet", "not sent"),
        ("Told", "escalated"),
    ]
    assert not any(task.word in out for task in (done, late, told, quiet, asked))


def test_a_file_that_is_none_of_ours_is_told(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with pytest.raises(EnvironmentProblem, match="begins it"):
        Tasks(other, make=False)
    other.write_text("not a database, but a text that somebody wrote there")
    with pytest.raises(EnvironmentProblem, match="cannot be used"):
        Tasks(other, make=True)

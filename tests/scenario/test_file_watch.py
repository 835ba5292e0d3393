"""`reload: watch`: the daemon notices by itself that the site's files were changed; real files, virtual time."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.errors import ConfigError, EnvironmentProblem, Problem
from controller.core.site import Site
from controller.runtime.file_states import states_of
from controller.runtime.reload import Configuration, Result
from tests.scenario.test_reload import Here

# A look that finds the change, and two that find nothing else.
NOTICED_WITHIN_S = 3.5
AS_DELIVERED = "60 # as it was delivered\n"
DELIVERED, WRONG = 60.0, "wrong"


class Watched(Here):
    """One file that says how long the lease is, in seconds, or in which other file that stands; all else is wrong."""

    def __init__(self, tmp_path: Path) -> None:
        self.file = tmp_path / "strategies.yaml"
        self.other = tmp_path / "other.yaml"
        self.file.write_text(AS_DELIVERED)
        self.loads = 0
        self.is_lost = False
        self.while_reading: list[Callable[[], object]] = []
        super().__init__(tmp_path)
        self.load = self.load_files

    def site(self) -> Site:
        return self.read(super().site())

    def load_files(self) -> Configuration:
        self.loads += 1
        if self.is_lost:
            raise EnvironmentProblem("the folder with the device templates is not there")
        return Configuration(self.site())

    def read(self, site: Site) -> Site:
        """As a site's compiler: the site with what it was read from, or ConfigError with the same."""
        files = states_of([self.file])
        try:
            text = self.file.read_text()
            if self.while_reading:
                self.while_reading.pop(0)()
            if text == "other":
                files |= states_of([self.other])
                text = self.other.read_text()
            said = text.partition("#")[0].split()
            lease = float(said[0])
        except (OSError, ValueError, IndexError) as error:
            raise ConfigError([Problem(self.file, 1, str(error), "write seconds")], files) from None
        return replace(
            site,
            mounts=tuple(replace(each, lease=timedelta(seconds=lease)) for each in site.mounts),
            digest="bench" if lease == DELIVERED else f"bench {text}",
            reload="command" if "command" in said else "watch",
            files=files,
        )

    @property
    def present_lease(self) -> float:
        (mount,) = self.daemon.site.mounts
        return mount.lease.total_seconds()

    def who_asked(self) -> list[tuple[object, object]]:
        return [(event.body["step"], event.body["who"]) for event in self.reloads()]


def lived(tmp_path: Path, life: Callable[[Watched], Awaitable[None]]) -> Watched:
    here = Watched(tmp_path)
    assert here.run(lambda _: life(here))
    return here


def test_files_that_changed_and_stand_still_are_taken(tmp_path: Path) -> None:
    async def life(here: Watched) -> None:
        await here.wait(10)
        here.file.write_text("90")
        await here.wait(2)
        assert (here.loads, here.present_lease) == (0, 60.0)
        await here.wait(NOTICED_WITHIN_S - 2)
        assert (here.loads, here.present_lease) == (1, 90.0)
        assert here.who_asked() == [("reloaded", "file watch")]
        await here.wait(30)
        assert here.loads == 1
        here.file.write_text("120 command")
        await here.wait(NOTICED_WITHIN_S)
        assert here.present_lease == 120.0
        here.file.write_text("150 command: nobody looks any more")
        await here.wait(60)
        assert (here.loads, here.present_lease) == (2, 120.0)
        assert (await here.reload()).result is Result.RELOADED
        assert here.who_asked()[-1] == ("reloaded", "Li Na")

    lived(tmp_path, life)


async def truncated_and_written(here: Watched) -> None:
    here.file.write_text("")
    await here.wait(1)
    here.file.write_text("9 and more to come")
    await here.wait(1)
    here.file.write_text("90")


async def renamed(here: Watched) -> None:
    beside = here.file.with_name(".strategies.yaml.swp")
    beside.write_text("90")
    await here.wait(1)
    beside.replace(here.file)


async def removed_and_made(here: Watched) -> None:
    here.file.unlink()
    await here.wait(1.5)
    here.file.write_text("90")


async def one_after_another(here: Watched) -> None:
    here.file.write_text("other")
    await here.wait(1.5)
    here.other.write_text("90")


async def for_a_minute(here: Watched) -> None:
    for number in range(60):
        here.file.write_text(WRONG + number * "!")
        await here.wait(1)
    here.file.write_text("90")


@pytest.mark.parametrize("write", [truncated_and_written, renamed, removed_and_made, one_after_another, for_a_minute])
def test_what_is_half_written_is_not_read(tmp_path: Path, write: Callable[[Watched], Awaitable[None]]) -> None:
    """Each kind of writing takes a while; nothing of it is refused, and all of it is taken at once."""

    async def life(here: Watched) -> None:
        await here.wait(10)
        await write(here)
        await here.wait(NOTICED_WITHIN_S)
        assert (here.loads, here.present_lease) == (1, 90.0)
        assert here.configuration_alarms() == []
        assert here.who_asked() == [("reloaded", "file watch")]

    lived(tmp_path, life)


def test_what_is_refused_is_not_tried_again_before_something_changes(tmp_path: Path) -> None:
    async def life(here: Watched) -> None:
        await here.wait(10)
        here.file.write_text(WRONG)
        await here.wait(120)
        assert (here.loads, here.present_lease) == (1, 60.0)
        assert here.who_asked() == [("refused", "file watch")]
        assert here.configuration_alarms() == ["active"]
        here.file.write_text("other")
        await here.wait(60)
        assert here.loads == 2, "refused again: what it names is missing"
        here.other.write_text("90")
        await here.wait(NOTICED_WITHIN_S)
        assert (here.loads, here.present_lease) == (3, 90.0)
        assert here.configuration_alarms()[-1] == "cleared"

    lived(tmp_path, life)


def test_a_file_that_vanishes_or_is_none_any_more_is_told_until_it_is_back(tmp_path: Path) -> None:
    async def life(here: Watched) -> None:
        await here.wait(10)
        here.file.unlink()
        await here.wait(30)
        assert (here.loads, here.configuration_alarms()) == (1, ["active"])
        here.file.mkdir()
        await here.wait(30)
        assert here.loads == 2
        here.file.rmdir()
        here.file.write_text(AS_DELIVERED)
        await here.wait(NOTICED_WITHIN_S)
        assert here.configuration_alarms()[-1] == "cleared"
        assert {step for step, _ in here.who_asked()} == {"refused"}
        assert here.daemon.site.digest == "bench"

    lived(tmp_path, life)


def test_what_cannot_be_read_at_all_is_tried_again_once_something_changes(tmp_path: Path) -> None:
    async def life(here: Watched) -> None:
        await here.wait(10)
        here.is_lost = True
        here.file.write_text("90")
        await here.wait(60)
        assert (here.loads, here.configuration_alarms()) == (1, ["active"])
        here.is_lost = False
        here.file.write_text("100")
        await here.wait(NOTICED_WITHIN_S)
        assert (here.loads, here.present_lease) == (2, 100.0)
        assert here.configuration_alarms() == ["active", "cleared"]

    lived(tmp_path, life)


def test_the_clock_of_the_file_system_may_jump(tmp_path: Path) -> None:
    """A change that seems to be older than what was read, or to come from the future, is a change all the same."""

    async def life(here: Watched) -> None:
        await here.wait(10)
        for number, (seconds, text) in enumerate([(0, "90"), (4_000_000_000, "95"), (1, "99")], 1):
            here.file.write_text(text)
            os.utime(here.file, (seconds, seconds))
            await here.wait(NOTICED_WITHIN_S)
            assert (here.loads, here.present_lease) == (number, float(text))
        os.utime(here.file, (2, 2))
        await here.wait(60)
        assert here.loads == 4
        assert len(here.who_asked()) == 3, "with the same in it there is nothing to tell"

    lived(tmp_path, life)


@pytest.mark.parametrize("half", ["80", WRONG])
def test_what_changes_while_it_is_read_is_read_again(tmp_path: Path, half: str) -> None:
    """Right or wrong, it may be half of something: nothing comes of it, and nobody is told."""

    async def life(here: Watched) -> None:
        await here.wait(10)
        here.file.write_text(half)
        here.while_reading.append(lambda: here.file.write_text("the whole of it"))
        here.while_reading.append(lambda: here.file.write_text("100"))
        await here.wait(3 * NOTICED_WITHIN_S)
        assert (here.loads, here.present_lease) == (3, 100.0)
        assert here.who_asked() == [("reloaded", "file watch")]
        assert here.configuration_alarms() == []

    lived(tmp_path, life)


def test_what_a_person_has_loaded_is_not_loaded_again(tmp_path: Path) -> None:
    async def life(here: Watched) -> None:
        await here.wait(10)
        here.file.write_text("90")
        assert (await here.reload()).result is Result.RELOADED
        await here.wait(30)
        assert here.loads == 1
        here.file.write_text("100")
        assert (await here.reload(dry_run=True)).result is Result.DIFFERENT
        await here.wait(NOTICED_WITHIN_S)
        assert here.present_lease == 100.0, "who only asks what would change has not taken it"
        assert here.who_asked() == [("reloaded", "Li Na"), ("reloaded", "file watch")]

    lived(tmp_path, life)

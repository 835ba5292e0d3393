"""Original wins: by a key on the panel, by a word, by a file; what people decided counts again afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.event import EventKind
from controller.core.point import Binding, Point, PointId, PointKind, ValueType
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.system import Authority, AuthorityInput, Condition
from controller.core.units import Unit
from controller.runtime.authorities import AuthorityRefused
from controller.runtime.reload import Configuration, Result
from drivers.memory import MemoryAddress
from tests.bench import LAMP_REMOTE, LIGHTS, PUMP, PUMP_REMOTE, SYSTEMS, Bench, with_system

KEY = PointId("garage.control_panel_1.authority")
WORD = Point(KEY, PointKind.STATUS, Unit.NONE, ValueType.TEXT, states=("original", "tidewatt"), urgent=True)
INPUT = AuthorityInput(Condition(KEY, "original"), timedelta(seconds=30), timedelta(seconds=10))
HELD = with_system(SYSTEMS, "garage", original_while=INPUT)


@dataclass
class KeyBench(Bench):
    authority_files: bool = False

    def site(self) -> Site:
        site = Bench.site(self)
        links = tuple(
            replace(
                link,
                devices=tuple(replace(each, points=(*each.points, KEY)) for each in link.devices),
                bindings=(*link.bindings, Binding(WORD, link.devices[0].id, MemoryAddress())),
            )
            if link.id == LIGHTS
            else link
            for link in site.links
        )
        return replace(site, links=links, points={**site.points, KEY: WORD}, authority_files=self.authority_files)

    def turn(self, value: Scalar | None) -> None:
        """None: nobody can read it."""
        self.plant.lights.set(KEY, value)

    def say(self, name: str, word: str) -> None:
        folder = self.tmp_path / "state" / "authority"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(word)

    def is_ours(self) -> bool:
        return self.plant.lights.value(LAMP_REMOTE) is True


def bench_with_key(tmp_path: Path, value: Scalar | None = "tidewatt") -> KeyBench:
    bench = KeyBench(tmp_path, systems=HELD)
    bench.plant.lights.bind(bench.site().links[0].bindings)
    bench.turn(value)
    return bench


def test_the_key_takes_the_system_and_gives_it_back(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, KeyBench)
        await bench.command(PUMP, True)
        await bench.wait(10.2)
        assert bench.is_ours()
        bench.turn("original")
        await bench.wait(3)
        assert not bench.is_ours()
        assert bench.daemon.authority["garage"] is Authority.ORIGINAL
        assert bench.plant.plant.value(PUMP_REMOTE) is True, "another system takes no notice"
        event = bench.events(EventKind.AUTHORITY, "garage")[-1].body
        assert (event["who"], event["reason"]) == (f"input {KEY}", f"{KEY} is original")
        with pytest.raises(AuthorityRefused, match=f"original controls: {KEY} is original"):
            await bench.daemon.set_authority("garage", Authority.TIDEWATT, "li.na")
        bench.turn("tidewatt")
        await bench.wait(8)
        assert not bench.is_ours(), "a contact that bounces does not switch a plant"
        await bench.wait(10)
        assert bench.is_ours()

    assert bench_with_key(tmp_path).run(life)


def test_what_a_person_decided_meanwhile_counts(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, KeyBench)
        await bench.wait(10)
        bench.turn("original")
        await bench.wait(3)
        await bench.daemon.set_authority("garage", Authority.ORIGINAL, "li.na")
        bench.turn("tidewatt")
        await bench.wait(60)
        assert not bench.is_ours()
        await bench.daemon.set_authority("garage", Authority.TIDEWATT, "li.na")
        await bench.wait(5)
        assert bench.is_ours()

    assert bench_with_key(tmp_path).run(life)


def test_a_key_that_nobody_can_read_is_a_key_in_original(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, KeyBench)
        await bench.wait(10)
        bench.turn(None)
        await bench.wait(25)
        assert bench.is_ours()
        await bench.wait(15)
        assert not bench.is_ours()
        bench.turn("tidewatt")
        await bench.wait(20)
        assert bench.is_ours()

    assert bench_with_key(tmp_path).run(life)


@pytest.mark.parametrize("value", ["original", None])
def test_after_a_restart_nothing_is_taken_before_the_key_agrees(tmp_path: Path, value: Scalar | None) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, KeyBench)
        await bench.wait(20)
        assert bench.plant.written(LAMP_REMOTE) == []
        bench.turn("tidewatt")
        await bench.wait(20)
        assert bench.is_ours()

    bench = bench_with_key(tmp_path)
    bench.turn(value)
    assert bench.run(life)


def test_a_file_takes_systems_and_gives_them_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, KeyBench)
        await bench.wait(10)
        assert bench.is_ours()
        bench.say("all", "ORIGINAL\n")
        await bench.wait(4)
        assert set(bench.daemon.authority.values()) == {Authority.ORIGINAL}
        assert not bench.is_ours()
        bench.say("all", "originall")
        await bench.wait(10)
        assert not bench.is_ours(), "what cannot be understood changes nothing"
        assert sum("'originall' says nothing" in line for line in caplog.messages) == 1, "told once"
        bench.say("garage", "original")
        bench.say("all", "tidewatt")
        await bench.wait(5)
        assert bench.daemon.authority == {"garage": Authority.ORIGINAL, "plant": Authority.TIDEWATT}
        (bench.tmp_path / "state" / "authority" / "garage").unlink()
        await bench.wait(5)
        assert bench.is_ours()

    bench = KeyBench(tmp_path, authority_files=True)
    bench.plant.lights.bind(bench.site().links[0].bindings)
    assert bench.run(life)


def test_a_reload_without_the_key_ends_its_objection(tmp_path: Path) -> None:
    bench = bench_with_key(tmp_path, "original")

    async def life(bench: Bench) -> None:
        assert isinstance(bench, KeyBench)
        await bench.wait(10)
        assert not bench.is_ours()
        assert (await bench.daemon.reloads.request("li.na")).result is Result.RELOADED
        await bench.wait(10)
        assert bench.is_ours()

    bench.systems = SYSTEMS
    site = bench.site()
    bench.systems = HELD
    bench.load = lambda: Configuration(replace(site, digest="without"))
    assert bench.run(life)

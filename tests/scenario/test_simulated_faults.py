"""Faults of the simulated plant, as somebody at the daemon notices them: quality, alarms, verdicts, availability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from controller.cli.fault_file import fault_of
from controller.cli.site_folder import load_site
from controller.core.event import Event, EventKind
from controller.core.point import PointId
from controller.core.sample import Quality, Sample
from controller.settings.document import Tree
from simulator.gateway import Value
from tests.virtual_demo import DEMO, Run, live

pytestmark = pytest.mark.slow

# Ten on a Monday morning in Shenzhen: everything runs, the garage is busy.
START = datetime(2026, 7, 6, 2, 0, tzinfo=UTC)
SITE = load_site(DEMO)
PANEL = "building.fire_alarm_panel_1.fire_alarm"
DEMO_LAMPS = frozenset(f"garage.group_{number}.brightness_command" for number in (1, 2, 3))
GROUP = "garage.group_1"
LOOP, METER = "plant.chilled_water_loop_1", "meter.main_1"
SUPPLY, FLOW = f"{LOOP}.chilled_water_supply_temperature", f"{LOOP}.chilled_water_flow"


class Seen(NamedTuple):
    """What there was to notice at the end of a fault. true: the plant as it was; told: (alarm or verdict, subject)
    since the fault began.
    """

    samples: Mapping[PointId, Sample]
    true: Mapping[str, Value]
    told: frozenset[tuple[str, str]]
    held: frozenset[str]

    def sample(self, point: str) -> Sample:
        return self.samples[PointId(point)]

    def number(self, point: str) -> float:
        value = self.sample(point).value
        assert isinstance(value, int | float)
        return float(value)

    def qualities(self, area: str) -> set[Quality]:
        return {sample.quality for point, sample in self.samples.items() if point.startswith(area)}


@dataclass
class Story:
    """Fault after fault at one running demo; each is looked at before it ends, and given time to be over."""

    run: Run
    events: list[Event] = field(default_factory=list[Event])
    seen: dict[str, Seen] = field(default_factory=dict[str, Seen])

    async def tell(self, kind: str, lasting: float, *, after: float = 90.0, **said: Tree) -> None:
        engine, clock = self.run.engine, self.run.clock
        self.events.clear()
        engine.add_fault(fault_of({"kind": kind, **said}, SITE, clock.now(), has_time_on_wire=True))
        await self.run.wait(lasting)
        self.seen[kind] = self.look()
        engine.end_faults(engine.faults.on)
        await self.run.wait(after)

    def look(self) -> Seen:
        frozen = self.run.daemon.scan.frozen
        assert frozen is not None
        names = {EventKind.ALARM: "alarm", EventKind.VERDICT: "verdict"}
        told = {(str(each.body[names[each.kind]]), each.subject) for each in self.events if each.kind in names}
        held = frozenset(map(str, self.run.daemon.writer.holdings))
        return Seen(frozen.samples, self.run.engine.snapshot(), frozenset(told), held)


@pytest.fixture(scope="module")
def story() -> Story:
    stories: list[Story] = []

    async def life(run: Run) -> None:
        await run.wait(180.0)
        story = Story(run)
        run.daemon.journal.listeners.append(story.events.append)
        stories.append(story)
        story.seen["nothing"] = story.look()
        # instruments
        await story.tell("drift", 600.0, target=SUPPLY, rate=6.0)
        await story.tell("noise", 60.0, target=FLOW, deviation=2.0)
        await story.tell("stuck", 60.0, target=f"{METER}.power", value=12.5)
        await story.tell("dropout", 60.0, target=SUPPLY)
        await story.tell("meter_rollover", 30.0, target=f"{METER}.energy", range=10.0)
        # the wire
        await story.tell("word_order", 30.0, target="main_meter")
        await story.tell("clock_offset", 30.0, target="main_meter", offset=90)
        await story.tell("slow", 60.0, target="plant_gateway", delay="700ms")
        await story.tell("hang", 60.0, target="plant_gateway")
        await story.tell("refuse", 60.0, target="lighting")
        await story.tell("reboot", 15.0, target="lighting_gateway")
        story.seen["after the reboot"] = story.look()
        await story.tell("ignored_write", 120.0, target="garage.group_3.brightness_command")
        # machines and people
        await story.tell("lamps_lost", 240.0, target="garage.group_2")
        await story.tell("panel", 60.0, target=f"{GROUP}.brightness_command", value=0.33)
        await story.tell("trip", 60.0, target="plant.chiller_1")
        await story.tell("local", 60.0, target="garage.group_2", position="hand")
        await story.tell("mains_dip", 10.0)
        await story.tell("fire", 60.0)
        # what is not undone
        await story.tell("meter_replacement", 30.0, target=f"{METER}.energy", reading=7)

    live(START, life)
    return stories[0]


def test_without_a_fault_everything_is_good_and_nobody_is_alarmed(story: Story) -> None:
    seen = story.seen["nothing"]
    assert {sample.quality for sample in seen.samples.values()} == {Quality.GOOD}
    assert seen.held > DEMO_LAMPS


def test_an_instrument_shows_what_is_not_so(story: Story) -> None:
    drift = story.seen["drift"]
    assert drift.number(SUPPLY) == pytest.approx(float(drift.true[SUPPLY]) + 1.0, abs=0.02)
    noise = story.seen["noise"]
    assert 0.05 < abs(noise.number(FLOW) - float(noise.true[FLOW])) < 10.0
    assert story.seen["stuck"].number(f"{METER}.power") == 12.5
    assert story.seen["meter_rollover"].number(f"{METER}.energy") < 10.0
    assert story.seen["meter_replacement"].number(f"{METER}.energy") == pytest.approx(7.0 + 150.0 * 30 / 3600, abs=2.0)


def test_a_dropout_is_one_bad_value_among_good_ones(story: Story) -> None:
    seen = story.seen["dropout"]
    assert (seen.sample(SUPPLY).quality, seen.sample(SUPPLY).value) == (Quality.BAD, None)
    assert sum(sample.quality is Quality.BAD for sample in seen.samples.values()) == 1


def test_words_in_the_other_order_are_implausible(story: Story) -> None:
    sample = story.seen["word_order"].sample(f"{METER}.power")
    assert sample.quality is Quality.BAD
    assert sample.reason.startswith("implausible")


def test_a_clock_that_is_off_makes_samples_doubtful(story: Story) -> None:
    seen = story.seen["clock_offset"]
    assert seen.qualities("meter.") == {Quality.UNCERTAIN}
    assert "+90 s" in seen.sample(f"{METER}.power").reason
    assert seen.qualities("plant.") == {Quality.GOOD}


def test_a_slow_device_is_waited_for_and_one_that_hangs_is_lost(story: Story) -> None:
    slow = story.seen["slow"]
    assert slow.qualities("plant.") == {Quality.GOOD}
    assert not slow.told & {("link lost", "plant"), ("device lost", "plant_gateway")}
    hang = story.seen["hang"]
    assert ("link lost", "plant") in hang.told
    assert hang.qualities("plant.chiller_1.") == {Quality.BAD}
    assert hang.qualities("garage.") == {Quality.GOOD}


def test_where_the_lighting_refuses_the_fire_input_is_lost_too(story: Story) -> None:
    told = story.seen["refuse"].told
    assert {("link lost", "lighting"), ("fire input lost", PANEL)} <= told
    assert "refused" in story.seen["refuse"].sample(f"{GROUP}.brightness").reason


def test_a_gateway_that_lost_its_registers_is_taken_again(story: Story) -> None:
    assert ("link lost", "lighting") in story.seen["reboot"].told
    assert not story.seen["reboot"].true[f"{GROUP}.remote"]
    after = story.seen["after the reboot"]
    assert after.true[f"{GROUP}.remote"]
    assert after.held > DEMO_LAMPS
    assert not {subject for what, subject in after.told if what == "overridden"}


def test_a_write_that_is_ignored_is_told(story: Story) -> None:
    assert ("ignored", "garage.group_3.brightness_command") in story.seen["ignored_write"].told


def test_lamps_that_stay_dark_are_told(story: Story) -> None:
    assert ("effect missing", "garage.group_2.brightness_command") in story.seen["lamps_lost"].told
    assert story.seen["lamps_lost"].number("garage.group_2.illuminance") == 0.0


def test_who_sets_something_at_the_panel_is_left_alone(story: Story) -> None:
    seen = story.seen["panel"]
    assert ("overridden", f"{GROUP}.brightness_command") in seen.told
    assert seen.number(f"{GROUP}.brightness_command") == 0.33


def test_a_trip_is_an_alarm_and_a_selector_lets_the_machine_go(story: Story) -> None:
    assert ("tripped", "plant.chiller_1") in story.seen["trip"].told
    local = story.seen["local"]
    assert "garage.group_2.brightness_command" not in local.held
    assert local.number("garage.group_2.brightness") == 1.0


def test_a_mains_dip_is_over_and_everything_is_ours_again(story: Story) -> None:
    assert ("fire input lost", PANEL) in story.seen["mains_dip"].told
    before_fire = story.seen["fire"]
    assert before_fire.held >= {f"{GROUP}.remote", "garage.group_3.remote"}


def test_a_fire_raises_the_lights_and_lets_the_plant_go(story: Story) -> None:
    seen = story.seen["fire"]
    assert ("fire", PANEL) in seen.told
    assert {seen.number(f"garage.group_{number}.brightness") for number in (2, 3)} == {1.0}
    assert not {point for point in seen.held if point.startswith("plant.")}

"""Who is told of an alarm, when, and how often; on virtual time, with a messenger that remembers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from controller.core.alarm import Behaviour, Priority, Wording
from controller.core.alarm_route import Route, Rung
from controller.core.alarm_rule import Above, PointRule
from controller.core.site import Alarming
from controller.core.text import Text
from controller.runtime.message_words import Message
from controller.runtime.messages import Messages
from controller.runtime.outbox import NotDelivered
from tests.bench import DEMAND, LIGHTS, Bench
from tests.scenario.test_alarms import TOO_BRIGHT, AlarmBench

WORDING = Wording(Text("too bright", "过亮"), Text("dim it", "调暗"))
RULE = PointRule("too_bright", DEMAND, Above(0.7), Behaviour(Priority.HIGH), WORDING)
SHIFT = Route("shift", Priority.HIGH, (Rung("shift"), Rung("manager", timedelta(minutes=15))))
OFFICE = Route("office", Priority.LOW, (Rung("office"),), "zh")


@dataclass
class Remembered:
    """Everything that arrived, as (seconds since the start, address, title). `refuse` while somebody is away."""

    time: Callable[[], float] = float
    arrived: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])
    bodies: list[str] = field(default_factory=list[str])
    attempts: int = 0
    is_away: bool = False

    async def deliver(self, address: str, message: Message) -> None:
        self.attempts += 1
        if self.is_away:
            raise NotDelivered("nobody there")
        self.arrived.append((int(self.time()), address, message.title))
        self.bodies.append(message.body)

    def to(self, address: str) -> list[tuple[int, str]]:
        return [(at, title) for at, whom, title in self.arrived if whom == address]


@dataclass
class MessageBench(AlarmBench):
    told: Remembered = field(default_factory=Remembered)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.messenger = self.told

    @property
    def messages(self) -> Messages:
        assert self.daemon.messages is not None
        return self.daemon.messages

    def bright(self, value: float = 0.9) -> None:
        self.plant.lights.set(DEMAND, value)

    async def begin(self) -> None:
        self.told.time = self.clock.monotonic
        await self.wait(10)


def bench_with(tmp_path: Path, *routes: Route, rules: tuple[PointRule, ...] = (RULE,)) -> MessageBench:
    return MessageBench(tmp_path, alarms_of_site=Alarming(rules, (), routes))


def test_raised_is_told_at_once_and_over_is_told_to_the_same_people(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, SHIFT, OFFICE)

    async def life(_: Bench) -> None:
        await bench.begin()
        bench.bright()
        await bench.wait(100)
        bench.bright(0.5)
        await bench.wait(10)

    bench.run(life)
    (raised_at, raised), (over_at, over) = bench.told.to("shift")
    assert raised == "[high] bench: too bright"
    assert over == "[cleared] bench: too bright"
    assert raised_at <= 12
    assert over_at <= 112
    assert [title for _, title in bench.told.to("office")] == ["[高] bench: 过亮", "[已消除] bench: 过亮"]
    assert bench.told.to("manager") == [], "it was over before the ladder came to them"
    body = bench.told.bodies[0]
    for words in (TOO_BRIGHT, "value: 0.9 fraction", "→ dim it", "2026-07-06 12:00:1", f"acknowledge {TOO_BRIGHT}"):
        assert words in body


def test_a_route_takes_what_is_urgent_enough(tmp_path: Path) -> None:
    low = replace(RULE, behaviour=Behaviour(Priority.MEDIUM))
    bench = bench_with(tmp_path, SHIFT, OFFICE, rules=(low,))

    async def life(_: Bench) -> None:
        await bench.begin()
        bench.bright()
        await bench.wait(10)

    bench.run(life)
    assert {address for _, address, _ in bench.told.arrived} == {"office"}


def test_who_does_not_acknowledge_is_followed_by_the_next(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, SHIFT)

    async def life(_: Bench) -> None:
        await bench.begin()
        bench.bright()
        await bench.wait(890)
        assert bench.told.to("manager") == []
        await bench.wait(20)
        ((at, title),) = bench.told.to("manager")
        assert title == "[high] bench: too bright"
        assert 909 <= at <= 912
        await bench.people.acknowledge(TOO_BRIGHT, "Li Na")
        bench.bright(0.5)
        await bench.wait(5)
        assert bench.told.to("manager")[-1][1] == "[cleared] bench: too bright"

    bench.run(life)


def test_who_acknowledges_in_time_spares_the_next(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, SHIFT)

    async def life(_: Bench) -> None:
        await bench.begin()
        bench.bright()
        await bench.wait(600)
        await bench.people.acknowledge(TOO_BRIGHT, "Li Na")
        await bench.wait(1200)

    bench.run(life)
    assert len(bench.told.arrived) == 1


def test_a_restart_tells_nothing_twice_and_the_ladder_goes_on(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, SHIFT)

    async def life(_: Bench) -> None:
        await bench.begin()
        bench.bright()
        await bench.wait(500)

    bench.run(life, kill=True)
    assert [address for _, address, _ in bench.told.arrived] == ["shift"]

    async def next_life(_: Bench) -> None:
        await bench.begin()
        await bench.wait(370)
        assert len(bench.told.arrived) == 1
        await bench.wait(30)
        assert [address for _, address, _ in bench.told.arrived] == ["shift", "manager"]

    bench.run(next_life, kill=True)


def test_what_was_not_delivered_is_tried_again_and_counted(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, OFFICE)
    bench.told.is_away = True

    async def life(_: Bench) -> None:
        await bench.begin()
        bench.bright()
        await bench.wait(300)
        (outbox,) = bench.messages.outboxes.values()
        assert outbox.trouble == "nobody there"
        assert outbox.waiting == 1
        assert 5 < outbox.failed < 20
        bench.told.is_away = False
        await bench.wait(70)
        assert (outbox.trouble, outbox.sent, outbox.waiting) == ("", 1, 0)

    bench.run(life)


def test_what_nobody_got_for_an_hour_is_dropped_and_counted(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, OFFICE)
    bench.told.is_away = True

    async def life(_: Bench) -> None:
        await bench.begin()
        bench.bright()
        await bench.wait(3800)
        (outbox,) = bench.messages.outboxes.values()
        assert (outbox.waiting, outbox.dropped) == (0, 1)

    bench.run(life)


def test_a_latching_alarm_is_over_once_and_raised_anew(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, SHIFT, rules=(replace(RULE, behaviour=Behaviour(Priority.HIGH, latching=True)),))

    async def life(_: Bench) -> None:
        await bench.begin()
        for value in (0.9, 0.5, 0.9, 0.5):
            bench.bright(value)
            await bench.wait(5)
        await bench.people.acknowledge(TOO_BRIGHT, "Li Na")
        await bench.wait(5)

    bench.run(life)
    words = [title.partition("]")[0][1:] for _, title in bench.told.to("shift")]
    assert words == ["high", "cleared", "high", "cleared"]


def test_who_shelves_ends_the_ladder_and_tells_who_was_told(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, SHIFT)

    async def life(_: Bench) -> None:
        await bench.begin()
        bench.bright()
        await bench.wait(60)
        await bench.people.shelve(TOO_BRIGHT, timedelta(minutes=30), "Li Na", "lamp test")
        await bench.wait(1700)
        assert [title for _, title in bench.told.to("shift")][1:] == ["[shelved] bench: too bright"]
        assert bench.told.to("manager") == []
        await bench.wait(120)
        assert [title for _, title in bench.told.to("shift")][2:] == ["[high] bench: too bright"]

    bench.run(life)


def test_a_flood_is_summarised(tmp_path: Path) -> None:
    urgent = replace(RULE, name="urgent", behaviour=Behaviour(Priority.URGENT))
    many = tuple(replace(RULE, name=f"limit_{number}") for number in range(3000))
    bench = bench_with(tmp_path, OFFICE, rules=(*many, urgent))

    async def life(_: Bench) -> None:
        await bench.begin()
        bench.bright()
        await bench.wait(200)
        titles = [title for _, title in bench.told.to("office")]
        assert len(titles) <= 12, "not three thousand"
        assert "报警洪泛" in titles[-1]
        assert any("[紧急]" in body.splitlines()[0] for body in bench.told.bodies), "the most urgent first"
        (outbox,) = bench.messages.outboxes.values()
        assert outbox.waiting == 0
        assert outbox.dropped > 0, "an outbox is bounded; the list of alarms has them all"

    bench.run(life)


def test_a_lost_link_is_one_message(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, OFFICE, rules=())

    async def life(_: Bench) -> None:
        await bench.begin()
        bench.plant.lights.drop()
        await bench.wait(60)

    bench.run(life)
    ((_, _, title),) = bench.told.arrived
    assert "连接中断" in title
    assert bench.told.bodies[0].startswith(f"{LIGHTS}:link_lost")

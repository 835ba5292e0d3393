"""Which tests a site asks for, and what counts as passed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from controller.core.commissioning import (
    AmbiguousItem,
    Item,
    ItemKind,
    Record,
    Result,
    Status,
    item_called,
    missing,
    standings,
)
from controller.core.commissioning_items import items_of
from controller.core.fire import FireInput
from controller.core.point import DeviceTimeout, Heartbeat, NothingHappens, Point, PointId, Range, RemoteBit, Writable
from controller.core.site import Link, Site
from controller.core.strategy import Mode
from controller.core.system import Condition, Exclusion, Member
from drivers.memory import MemoryAddress
from tests.bench import (
    BRIGHTNESS,
    CHILLER,
    CHILLER_REMOTE,
    CHILLER_STATUS,
    DEMAND,
    HEARTBEAT,
    LAMP_REMOTE,
    MOTION,
    PUMP,
    PUMP_REMOTE,
    PUMP_STATUS,
    Bench,
    with_system,
)
from tests.real_bench import RealBench

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return RealBench(tmp_path).site()


def by_id(site: Site) -> dict[str, Item]:
    return {item.id: item for item in items_of(site)}


def record(item: Item, result: Result = Result.PASSED, days: int = 0) -> Record:
    return Record(AT + timedelta(days=days), item.id, result, "Li Na", "", "", item.configuration)


def test_each_kind_of_point_has_its_tests(site: Site) -> None:
    kinds: dict[str, set[ItemKind]] = {}
    for item in items_of(site):
        kinds.setdefault(item.subject, set()).add(item.kind)
    assert kinds[DEMAND] == kinds[MOTION] == {ItemKind.READING}
    assert kinds[BRIGHTNESS] == {ItemKind.COMMAND, ItemKind.RELEASE}
    assert kinds[CHILLER] == {ItemKind.COMMAND, ItemKind.RELEASE, ItemKind.PERMISSIVE}
    assert kinds[LAMP_REMOTE] == {ItemKind.SILENCE}, "a bit that clears by itself"
    assert kinds[HEARTBEAT] == {ItemKind.SILENCE}, "one test for all that hangs on it"
    assert kinds["garage"] == kinds["plant"] == {ItemKind.HAND_BACK}


def test_what_is_to_be_done_is_told_in_the_units_of_people(site: Site) -> None:
    told = by_id(site)[f"{BRIGHTNESS}:command"].test
    assert (
        told.en
        == f"command two values between 10 % and 100 %, up and down; see it at the equipment and at {BRIGHTNESS}"
    )
    assert "在 10 % 至 100 % 间" in told.zh


def test_ids_are_told_apart(site: Site) -> None:
    assert len(by_id(site)) == len(items_of(site))


def test_a_system_requires_its_own_points_and_what_it_leans_on(site: Site) -> None:
    items = by_id(site)
    assert items[f"{BRIGHTNESS}:command"].required_by == {"garage"}
    assert items[f"{DEMAND}:reading"].required_by == {"garage"}, "its strategy decides by it"
    assert items[f"{PUMP_STATUS}:reading"].required_by == {"plant"}, "an interlock looks at it"
    assert items[f"{MOTION}:reading"].required_by == frozenset(), "nothing depends on it"


def test_a_fire_input_is_tried_with_all_that_it_acts_on(site: Site) -> None:
    both = FireInput(MOTION, active=True, lights=(BRIGHTNESS,), plant=(CHILLER, PUMP))
    item = by_id(replace(site, fire=(both,)))[f"{MOTION}:fire"]
    assert item.required_by == {"garage", "plant"}
    assert "(1, 0, 2 points)" in item.test.en
    for other in (
        replace(both, active=False),
        replace(both, plant=()),
        replace(both, lights=(), ventilation=both.lights),
    ):
        assert by_id(replace(site, fire=(other,)))[item.id].configuration != item.configuration
    assert f"{MOTION}:fire" not in by_id(site)


def test_what_a_shadow_strategy_reads_is_not_required(tmp_path: Path) -> None:
    shadow = RealBench(tmp_path, mode=Mode.SHADOW).site()
    assert by_id(shadow)[f"{DEMAND}:reading"].required_by == frozenset()


def test_points_in_the_daemon_itself_need_no_test(tmp_path: Path) -> None:
    assert items_of(Bench(tmp_path).site()) == []


# --- how an item stands -----------------------------------------------------------------------------------------------


def test_the_latest_test_counts(site: Site) -> None:
    item = items_of(site)[0]
    failed, passed = record(item, Result.FAILED), record(item, days=1)
    assert standings([item], [])[0].status is Status.OPEN
    assert standings([item], [failed])[0].status is Status.FAILED
    assert standings([item], [failed, passed])[0].status is Status.PASSED
    assert standings([item], [passed, failed])[0].status is Status.PASSED, "wherever a merge has put its line"
    assert standings([item], [passed, record(item, Result.FAILED, days=1)])[0].status is Status.FAILED, "the lower line"
    elsewhere = failed._replace(at=passed.at.astimezone(timezone(timedelta(hours=8))) - timedelta(hours=1))
    assert standings([item], [passed, elsewhere])[0].status is Status.PASSED, "in time, not in the clock's numbers"


def test_records_of_what_is_not_there_any_more_do_no_harm(site: Site) -> None:
    item = items_of(site)[0]
    gone = Record(AT, "plant.boiler_1.command:command", Result.FAILED, "Li Na", "", "", "0")
    assert [each.status for each in standings([item], [gone, record(item)])] == [Status.PASSED]


def test_a_system_is_open_until_every_required_test_has_passed(site: Site) -> None:
    items = items_of(site)
    records = [record(item) for item in items if "garage" in item.required_by]
    assert missing(standings(items, records), "garage") == []
    assert len(missing(standings(items, records), "plant")) == sum("plant" in item.required_by for item in items)
    left = [each.item.id for each in missing(standings(items, records[1:]), "garage")]
    assert left == [records[0].item]


def test_only_a_system_that_is_simulated_as_a_whole_is_excused(site: Site) -> None:
    bare = standings(items_of(site), [])
    assert missing(bare, "garage", {"lights_gateway"}) == []
    assert missing(bare, "plant", {"lights_gateway"}) != []


def test_a_point_stands_for_its_only_open_test(site: Site) -> None:
    items = items_of(site)
    bare = standings(items, [])
    assert item_called(DEMAND, bare).id == f"{DEMAND}:reading"
    assert item_called(f"{BRIGHTNESS}:release", bare).kind is ItemKind.RELEASE
    with pytest.raises(AmbiguousItem, match=f"{BRIGHTNESS}:command, {BRIGHTNESS}:release"):
        item_called(BRIGHTNESS, bare)
    commanded = standings(items, [record(by_id(site)[f"{BRIGHTNESS}:command"])])
    assert item_called(BRIGHTNESS, commanded).id == f"{BRIGHTNESS}:release"
    with pytest.raises(AmbiguousItem, match="there is no test called"):
        item_called("garage.lamp_9.remote", bare)


# --- what a test was made on ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wire:
    host: str
    timeout: float = 1.0
    password: str = field(default="", repr=False)
    certificate: str = ""


def changed(site: Site, point: PointId, change: Callable[[Point], Point]) -> Site:
    return replace(site, points={**site.points, point: change(site.points[point])})


def with_writable(change: Callable[[Writable], Writable]) -> Callable[[Point], Point]:
    def apply(point: Point) -> Point:
        assert point.writable is not None
        return replace(point, writable=change(point.writable))

    return apply


def connected(site: Site, connection: Wire) -> Site:
    return replace(site, links=tuple(replace(link, connection=connection) for link in site.links))


def reopened(before: Site, after: Site) -> set[str]:
    """Subjects of the tests that are open again after the change."""
    records = [record(item) for item in items_of(before)]
    return {each.item.subject for each in standings(items_of(after), records) if each.status is not Status.PASSED}


def test_a_changed_range_opens_the_point_again_and_the_system_that_has_it(site: Site) -> None:
    narrower = changed(site, BRIGHTNESS, with_writable(lambda each: replace(each, range=Range(0.3, 1.0))))
    assert reopened(site, narrower) == {BRIGHTNESS, "garage"}


def test_a_changed_time_out_opens_the_silence_again(site: Site) -> None:
    later = DeviceTimeout(timedelta(minutes=5))
    slower = changed(site, LAMP_REMOTE, with_writable(lambda each: replace(each, on_silence=later)))
    assert reopened(site, slower) == {LAMP_REMOTE, "garage"}


def on_its_own(site: Site, *points: PointId) -> Site:
    """The site with these dropped by time-outs of their own."""
    alone = DeviceTimeout(timedelta(seconds=30))
    for point in points:
        site = changed(site, point, with_writable(lambda each: replace(each, on_silence=alone)))
    return site


def test_the_silence_of_a_heartbeat_is_open_again_when_something_else_hangs_on_it(site: Site) -> None:
    """That the gateway drops the chiller, too, nobody has seen."""
    before = on_its_own(site, CHILLER, CHILLER_REMOTE)
    assert HEARTBEAT in reopened(before, site)
    assert HEARTBEAT in reopened(site, before)
    assert reopened(before, before) == set()


def test_the_silence_of_a_heartbeat_is_open_again_when_it_has_to_act_sooner(site: Site) -> None:
    sooner = Heartbeat(HEARTBEAT, timedelta(seconds=20))
    assert HEARTBEAT in reopened(
        site, changed(site, PUMP_REMOTE, with_writable(lambda each: replace(each, on_silence=sooner)))
    )


def test_the_silence_of_a_bit_is_open_again_when_it_hands_over_something_else(site: Site) -> None:
    dimmed = Writable(Range(0.0, 1.0), RemoteBit(LAMP_REMOTE), NothingHappens(), DEMAND)
    assert LAMP_REMOTE in reopened(site, changed(site, DEMAND, lambda each: replace(each, writable=dimmed)))


@pytest.mark.parametrize("point, silence", [(PUMP, HEARTBEAT), (BRIGHTNESS, LAMP_REMOTE)])
def test_a_silence_is_open_again_when_what_it_drops_has_moved(site: Site, point: PointId, silence: PointId) -> None:
    moved = replace(
        site,
        links=tuple(
            replace(
                link,
                bindings=tuple(
                    replace(each, address=MemoryAddress(default=0)) if each.point.id == point else each
                    for each in link.bindings
                ),
            )
            for link in site.links
        ),
    )
    assert {point, silence} <= reopened(site, moved)


def test_how_what_it_drops_is_limited_opens_no_silence_again(site: Site) -> None:
    narrower = changed(site, BRIGHTNESS, with_writable(lambda each: replace(each, range=Range(0.3, 1.0))))
    assert LAMP_REMOTE not in reopened(site, narrower)


def test_an_interlock_is_open_again_when_what_it_looks_at_changes(site: Site) -> None:
    moved = changed(site, PUMP_STATUS, lambda point: replace(point, states=("on", "off")))
    assert {PUMP_STATUS, CHILLER} <= reopened(site, moved)
    assert PUMP not in reopened(site, moved)


def test_how_patiently_a_link_is_asked_opens_nothing(site: Site) -> None:
    here = connected(site, Wire("10.0.0.5"))
    assert reopened(here, connected(site, Wire("10.0.0.5", timeout=3.0))) == set()
    assert reopened(here, connected(site, Wire("10.0.0.5", password="changed"))) == set()
    assert reopened(here, connected(site, Wire("10.0.0.5", certificate="-----BEGIN\nrenewed\n-----END"))) == set()
    assert DEMAND in reopened(here, connected(site, Wire("10.0.0.6"))), "another device answers there"


def test_how_often_it_is_read_opens_nothing(site: Site) -> None:
    def slower(link: Link) -> Link:
        return replace(link, devices=tuple(replace(each, poll_every=timedelta(seconds=9)) for each in link.devices))

    assert reopened(site, replace(site, links=tuple(map(slower, site.links)), scan_every=timedelta(seconds=2))) == set()
    assert reopened(site, changed(site, DEMAND, lambda each: replace(each, stale_after=timedelta(hours=1)))) == set()


def test_every_pair_that_excludes_each_other_is_tested(site: Site) -> None:
    members = (Member(CHILLER, Condition(CHILLER_STATUS, False)), Member(PUMP))
    excluded = replace(site, systems=with_system(site.systems, "plant", exclusions=(Exclusion(members),)))
    found = {item.id: item for item in items_of(excluded) if item.kind is ItemKind.EXCLUSION}
    assert list(found) == [f"{CHILLER}:exclusion:{PUMP}"]
    (item,) = found.values()
    assert item.required_by == {"plant"}
    assert str(PUMP) in item.test.en
    assert str(PUMP) in item.test.zh
    other = (Member(CHILLER, Condition(CHILLER_STATUS, True)), Member(PUMP))
    changed = replace(site, systems=with_system(site.systems, "plant", exclusions=(Exclusion(other),)))
    assert item.configuration not in {each.configuration for each in items_of(changed)}, "it is open again"

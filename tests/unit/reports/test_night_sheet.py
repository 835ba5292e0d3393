"""The sheet on the wall: true to what the site declares, in both languages, harmless to open."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.core.point import DeviceTimeout, NothingHappens, PointId, Restore, Writable
from controller.core.point import Range as Limits
from controller.core.site import Contact, Site
from controller.core.system import HandBack
from controller.core.text import Text
from controller.core.unplugged import unplugged
from controller.reports.night_sheet import Head, as_html
from tests.bench import BRIGHTNESS, CHILLER, HEARTBEAT, LAMP_REMOTE, PLANT_TIMEOUT
from tests.real_bench import RealBench

HEAD = Head("tidewatt release /var/lib/tidewatt/my-site", datetime(2026, 11, 21, 2, 0, tzinfo=UTC))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return RealBench(tmp_path).site()


def with_writable(site: Site, point: PointId, writable: Writable) -> Site:
    return replace(site, points={**site.points, point: replace(site.points[point], writable=writable)})


def with_hand_back(site: Site, hand_back: HandBack) -> Site:
    return replace(site, systems=tuple(replace(each, hand_back=hand_back) for each in site.systems))


def of(page: str) -> str:
    return re.sub(r"<wbr>", "", page)


def test_devices_with_a_time_out_or_a_heartbeat_let_go_by_themselves(site: Site) -> None:
    garage, plant = (unplugged(system, site) for system in site.systems)
    assert set(garage.dropped) == {BRIGHTNESS, LAMP_REMOTE}
    assert (garage.within, garage.stays) == (30.0, ())
    assert plant.dropped[CHILLER] == PLANT_TIMEOUT.total_seconds()
    assert HEARTBEAT not in plant.dropped
    assert plant.stays == (), "a heartbeat that stands still holds nothing"


def test_a_setpoint_that_nothing_drops_is_told_with_its_range(site: Site) -> None:
    stays = Writable(Limits(0.2, 0.9), Restore(Limits(0.2, 0.9)), NothingHappens(), BRIGHTNESS)
    page = of(as_html(with_writable(site, BRIGHTNESS, stays), HEAD))
    assert f"{BRIGHTNESS}: stays where it is, within 20 to 90 %" in page
    assert f"{BRIGHTNESS}：保持原值，在 20 至 90 % 内" in page
    assert "set each of these at its panel" in page


def test_what_hangs_on_a_remote_bit_drops_with_it(site: Site) -> None:
    before = site.points[BRIGHTNESS].writable
    assert before is not None
    found = unplugged(site.systems[0], with_writable(site, BRIGHTNESS, replace(before, on_silence=NothingHappens())))
    assert found.dropped[BRIGHTNESS] == 30.0


def test_the_wait_is_that_of_the_slowest_device(site: Site) -> None:
    before = site.points[LAMP_REMOTE].writable
    assert before is not None
    slow = with_writable(site, LAMP_REMOTE, replace(before, on_silence=DeviceTimeout(timedelta(minutes=7))))
    assert "Wait 60 s:" in as_html(site, HEAD)
    page = as_html(slow, HEAD)
    assert "Wait 7 min:" in page
    assert "等待 7 分钟" in page


def test_virtual_points_are_nothing_to_worry_about(site: Site) -> None:
    virtual = tuple(replace(link, driver=replace(link.driver, is_virtual=True)) for link in site.links)
    assert all(unplugged(system, replace(site, links=virtual)) == ({}, ()) for system in site.systems)


def test_what_the_site_says_is_on_it_in_both_languages_and_escaped(site: Site) -> None:
    hand_back = HandBack(Text("turn S1 to {LOCAL} <b>now</b>", "将 S1 置于就地"), Text("lamp H2 is green", "H2 灯变绿"))
    said = replace(with_hand_back(site, hand_back), contacts=(Contact(Text("duty desk", "值班室"), "<ext> 2200"),))
    page = as_html(said, HEAD)
    for words in (
        "turn S1 to {LOCAL} &lt;b&gt;now&lt;/b&gt;",
        "将 S1 置于就地",
        "H2 灯变绿",
        "值班室",
        "&lt;ext&gt; 2200",
    ):
        assert words in page
    assert "look at the sign" not in page


def test_it_comes_from_nowhere_else_and_says_for_which_configuration_it_is(site: Site) -> None:
    page = of(as_html(replace(site, name="Tower <A> & co"), HEAD))
    assert not re.search(r"<script|<link|<img|@import|url\(|src=", page)
    assert "Tower &lt;A&gt; &amp; co" in page
    assert "configuration bench" in page
    assert "2026-11-21 10:00" in page, "in the site's time"
    assert HEAD.release in page
    assert page.count("<tr><td></td><td></td></tr>") == 3, "lines for names that the site does not give"

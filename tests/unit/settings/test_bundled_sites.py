"""A bundled site is its building, whatever its trades are wired by."""

from __future__ import annotations

import pickle
import re
import shutil
from pathlib import Path

from controller.cli.simulate import served_link
from controller.cli.site_folder import load_site
from simulator.high_rise.names import HANDLERS, ZONES
from simulator.tower_building.points import tags

SITES = Path(__file__).resolve().parents[3] / "config" / "sites"


def test_the_demo_on_four_protocols_differs_from_the_demo_in_its_wires_only() -> None:
    one, other = SITES / "demo", SITES / "demo_protocols"
    assert (one / "strategies.yaml").read_bytes() == (other / "strategies.yaml").read_bytes()
    lines, same = ((each / "site.yaml").read_text(encoding="utf-8").splitlines() for each in (one, other))
    assert [pair for pair in zip(lines, same, strict=True) if pair[0] != pair[1]] == [
        ("name: Demo tower, Shenzhen", "name: Demo tower on four protocols, Shenzhen")
    ]
    # Behind a priority array a circuit needs no remote bit.
    assert load_site(one).points.keys() - load_site(other).points.keys() == {"outdoor.lighting_1.remote"}


def test_the_tower_shows_everything_that_its_building_has_and_nothing_else() -> None:
    site = load_site(SITES / "tower")
    # Behind priority arrays air handlers and zones need no remote bit; no class has a counter of trips.
    needless = {f"{each}.remote" for each in (*HANDLERS, *(zone for zones in ZONES for zone in zones))}
    needless |= {f"plant.chiller_{number}.trip_count" for number in (1, 2, 3)}
    assert tags().keys() ^ site.points.keys() == needless
    assert [link.driver.name for link in site.links] == [
        "modbus",
        "modbus",
        "modbus",
        "bacnet",
        "opcua",
        "mqtt",
        "mqtt",
    ]
    # What is served travels to a process of its own.
    for link in site.links:
        assert pickle.loads(pickle.dumps(served_link(link))) == served_link(link)


def test_the_towers_forecasts_in_comments_are_right(tmp_path: Path) -> None:
    site = tmp_path / "tower"
    shutil.copytree(SITES / "tower", site, ignore=shutil.ignore_patterns("state"))
    text = (site / "site.yaml").read_text(encoding="utf-8")
    (site / "site.yaml").write_text(
        re.sub(r"^# (forecasts:|  - \{point)", r"\1", text, flags=re.MULTILINE), encoding="utf-8"
    )
    assert [each.point for each in load_site(site).forecasts] == ["meter.cooling_1.cooling_load", "meter.main_1.power"]

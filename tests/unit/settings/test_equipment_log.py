"""`equipment` and `maintenance` of site.yaml, the counters that strategies lean on, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from controller.core.configuration_difference import differences
from controller.core.equipment_log import CleanPeriod
from controller.core.errors import ConfigError
from controller.core.maintenance import MaintenanceTask
from controller.core.point import PointId, ValueType
from controller.core.short_cycling import CyclingLimits
from controller.core.site import Site
from controller.core.strategy import Decision, Ladder, Member, Observation, Role, StrategyKind
from controller.core.text import NO_TEXT
from controller.core.units import Unit
from controller.settings.compile import compile_site
from drivers import driver_kind
from tests.unit.settings.conftest import Edit, Told, compiled

UNIT = "plant.chiller_1"
LIMITS = CyclingLimits(2, timedelta(0))


def said(edit: Edit, *lines: str) -> None:
    """They stand on line 7 and below."""
    edit("site.yaml", "systems:\n", "".join(f"{line}\n" for line in lines) + "systems:\n")


def test_limits_are_those_of_the_class_unless_the_site_says_otherwise(site: Path, edit: Edit) -> None:
    said(edit, "equipment:", f"  - {{id: {UNIT}, shortest_run: 20min}}")
    assert compiled(site).equipment_log.limits == {UNIT: CyclingLimits(2, timedelta(minutes=20))}


def test_a_task_has_one_interval_or_two(site: Path, edit: Edit) -> None:
    said(
        edit,
        "maintenance:",
        f"  - {{equipment: {UNIT}, what: oil and filter, every_run_hours: 2000}}",
        f"  - {{equipment: {UNIT}, what: overhaul, every_run_hours: 20000, every_days: 1825}}",
    )
    assert compiled(site).equipment_log.tasks == (
        MaintenanceTask(UNIT, "oil and filter", 2000.0),
        MaintenanceTask(UNIT, "overhaul", 20000.0, 1825.0),
    )


def test_a_chiller_may_have_clean_dates(site: Path, edit: Edit) -> None:
    said(edit, "equipment:", f"  - {{id: {UNIT}, clean_from: 2026-05-01, clean_until: 2026-05-20}}")
    log = compiled(site).equipment_log
    assert log.clean == {UNIT: CleanPeriod(date(2026, 5, 1), date(2026, 5, 20))}
    assert log.limits == {}


@pytest.mark.parametrize(
    "lines, expected",
    [
        (
            ["equipment:", f"  - {{id: {UNIT}, clean_from: 2026-05-01}}"],
            "site.yaml:8: the clean dates have no 'clean_until'; write both, each a date like 2026-05-01",
        ),
        (
            ["equipment:", f"  - {{id: {UNIT}, clean_from: 2026-05-01, clean_until: 2026-04-01}}"],
            "site.yaml:8: the clean dates end before they begin; a date from 2026-05-01 on",
        ),
        (
            ["maintenance:", f"  - {{equipment: {UNIT}, what: oil}}"],
            "site.yaml:8: 'oil' has no interval; add every_run_hours or every_days, or both",
        ),
        (
            ["maintenance:", "  - {equipment: plant.chiller_2, what: oil, every_days: 1}"],
            f"site.yaml:8: there is no equipment 'plant.chiller_2' in devices.yaml; did you mean '{UNIT}'?",
        ),
        (
            ["maintenance:", *(f"  - {{equipment: {UNIT}, what: oil, every_days: {days}}}" for days in (1, 2))],
            f"site.yaml:9: 'oil' of {UNIT} is there already, by line 8; remove one of the two",
        ),
        (
            ["equipment:", "  - {id: plant.gateway_1, starts_per_hour: 3}"],
            "site.yaml:8: nothing tells whether 'plant.gateway_1' runs; name equipment with a running status",
        ),
        (
            ["equipment:", f"  - {{id: {UNIT}, starts_per_hour: 0}}"],
            "site.yaml:8: 'starts_per_hour'",
        ),
    ],
)
def test_what_is_wrong_is_told(edit: Edit, told: Told, lines: list[str], expected: str) -> None:
    said(edit, *lines)
    problems = told()
    assert problems[0].startswith(expected), problems


class LeastRun:
    """Wishes nothing, and leans on what the log counts."""

    inputs: Mapping[Role, Ladder] = {Role("unit", 0, name): Ladder() for name in ("run_time", "starts")}
    outputs: frozenset[Role] = frozenset()

    def initial(self) -> CyclingLimits:
        return LIMITS

    def decide(self, seen: Observation, state: CyclingLimits) -> Decision[CyclingLimits]:
        return Decision(state, {}, NO_TEXT)


@dataclass(frozen=True)
class NoParameters:
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


def least_run(its_class: str) -> Callable[[str], StrategyKind]:
    def build(parameters: Any, counts: Mapping[str, int]) -> LeastRun:
        del parameters, counts
        return LeastRun()

    kind = StrategyKind("least_run", NO_TEXT, {"unit": Member(its_class)}, NoParameters, CyclingLimits, 1, build)
    return lambda _: kind


def with_least_run(site: Path, its_class: str, bound: str) -> Site:
    (site / "strategies.yaml").write_text(
        f"strategies:\n  - {{id: rotation, strategy: least_run, mode: auto, bind: {{unit: {bound}}}}}\n"
    )
    return compile_site(site, site / "templates", driver_kind, least_run(its_class), environment={"SECRET": "x"})


def test_the_counters_of_a_machine_that_a_strategy_leans_on_are_virtual_points(site: Path) -> None:
    found = with_least_run(site, "chiller", UNIT)
    run_time, starts = (found.points[PointId(f"{UNIT}.{name}")] for name in ("run_time", "starts"))
    assert (run_time.unit, run_time.writable, starts.type) == (Unit.SECOND, None, ValueType.INTEGER)
    assert not any(binding.point.id == run_time.id for link in found.links for binding in link.bindings)


def test_what_never_shows_whether_it_runs_has_no_counters(site: Path) -> None:
    with pytest.raises(ConfigError, match=r"'plant.gateway_1' has no point 'run_time', which the strategy needs"):
        with_least_run(site, "gateway", "plant.gateway_1")


def test_a_reload_can_tell_what_changed_of_the_log(site: Path, edit: Edit) -> None:
    task = f"  - {{equipment: {UNIT}, what: oil, every_run_hours: 2000}}"
    said(edit, "equipment:", f"  - {{id: {UNIT}, starts_per_hour: 3}}", "maintenance:", task)
    before = compiled(site)
    edit("site.yaml", "starts_per_hour: 3", "starts_per_hour: 4, clean_from: 2026-05-01, clean_until: 2026-05-20")
    edit("site.yaml", "every_run_hours: 2000", "every_run_hours: 1500")
    assert [each.en for each in differences(before, compiled(site))] == [
        f"equipment {UNIT}: starts_per_hour 3 -> 4",
        f"equipment {UNIT}: clean_from none -> 2026-05-01",
        f"equipment {UNIT}: clean_until none -> 2026-05-20",
        f"maintenance {UNIT}, oil: every_run_hours 2000 -> 1500",
    ]

"""alarms.yaml: what it may say, and everything that may be wrong with it."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.alarm import AlarmId, Priority
from controller.core.alarm_rule import Above, Below, Equals, IsBad
from controller.core.point import PointId
from controller.core.siren import Siren
from controller.core.site import Alarming
from controller.core.system import Condition
from controller.settings.compile import compile_site
from drivers import driver_kind
from strategies import strategy_kind
from tests.unit.settings.conftest import Edit, Told, compiled

ROOT = Path(__file__).resolve().parents[3]
LAMP, STATUS = "garage.group_1.brightness_command", "plant.chiller_1.status"
ENABLE = "plant.chiller_1.enable_command"

WHOLE = """\
alarms:
  - id: too_bright
    point: garage.group_1.brightness_command
    above: 0.9
    deadband: 0.1
    priority: high
    on_delay: 10min
    off_delay: 1min
    latching: true
    only_while: {point: plant.chiller_1.status, is: true}
    text: {en: too bright, zh: 过亮}
    advice: {en: dim it, zh: 调暗}
  - {id: too_dark, point: garage.group_1.brightness_command, below: 0.1, priority: low}
  - {id: runs, point: plant.chiller_1.status, is: true, priority: urgent, only_in_auto: true}
  - {id: silent, point: plant.chiller_1.status, bad_for: 5min, priority: medium}
  - {id: lamps, verdict: ignored, points: [garage.group_1], priority: urgent, on_delay: 2min, work_order: true}
  - {id: effects, verdict: effect_missing, priority: medium}
  - {id: garage_strategy, strategy: garage, priority: urgent, advice: {en: call us, zh: 联系我们}}
routes:
  - id: night_shift
    priority: high
    language: zh
    to: !env SECRET
    escalation:
      - {after: 15min, to: !file manager}
"""


@pytest.fixture
def alarming(site: Path) -> Alarming:
    (site / "manager").write_text("json://manager.example.org\n")
    (site / "alarms.yaml").write_text(WHOLE.replace("!env SECRET", "!file manager"))
    return compiled(site).alarms


def test_rules_on_points(alarming: Alarming) -> None:
    bright, dark, runs, silent = alarming.rules
    assert bright.alarm == AlarmId(LAMP, "too_bright")
    assert (bright.test, dark.test, runs.test, silent.test) == (Above(0.9, 0.1), Below(0.1), Equals(True), IsBad())
    behaviour = bright.behaviour
    assert (behaviour.priority, behaviour.latching) == (Priority.HIGH, True)
    assert (behaviour.on_delay, behaviour.off_delay) == (timedelta(minutes=10), timedelta(minutes=1))
    assert bright.only_while == Condition(PointId(STATUS), True)
    assert (bright.only_in_auto, runs.only_in_auto) == (False, True)
    assert bright.wording.advice.zh == "调暗"
    assert silent.behaviour.on_delay == timedelta(minutes=5)
    assert dark.wording.wrong == ("below 0.1 fraction", "低于 0.1 fraction"), "without a text it says what was tested"


def test_what_is_built_in_is_judged_otherwise(alarming: Alarming) -> None:
    lamps, effects, strategy = alarming.adjustments
    assert lamps.fits(AlarmId(LAMP, "ignored"))
    assert not lamps.fits(AlarmId("garage.group_2.brightness_command", "ignored"))
    assert not lamps.fits(AlarmId(LAMP, "overridden"))
    assert (lamps.behaviour.on_delay, lamps.behaviour.orders_work) == (timedelta(minutes=2), True)
    assert effects.fits(AlarmId(LAMP, "effect missing"))
    assert strategy.fits(AlarmId("garage", "strategy at fault"))
    assert strategy.behaviour.on_delay == timedelta(minutes=1), "what is not said stays as it is"


def test_routes_hold_their_secrets(alarming: Alarming) -> None:
    (route,) = alarming.routes
    assert (route.id, route.priority, route.language) == ("night_shift", Priority.HIGH, "zh")
    assert [rung.after for rung in route.ladder] == [timedelta(0), timedelta(minutes=15)]
    assert route.ladder[1].address == "json://manager.example.org"
    assert "example.org" not in repr(alarming)


def test_a_site_without_the_file_has_the_same_digest_as_ever(site: Path) -> None:
    before = compiled(site)
    (site / "alarms.yaml").write_text("alarms: []\n")
    assert compiled(site).digest != before.digest
    assert before.alarms == Alarming()


SIREN = "siren:\n  "
ALARM = "alarms:\n  - {id: x, priority: high, "
ROUTE = "routes:\n  - {id: x, priority: high, language: en, to: !env ROUTE}\n"


@pytest.mark.parametrize(
    "text, wrong",
    [
        (ALARM + "point: plant.chiller_1.statis, is: true}", "there is no point 'plant.chiller_1.statis'; did you"),
        (ALARM + f"point: {STATUS}, is: 7}}", f"'{STATUS}' is never 7; write"),
        (ALARM + f"point: {STATUS}, above: 7}}", f"'{STATUS}' is no number; write"),
        (ALARM + f"point: {STATUS}}}", "an alarm on a point has one test, and nothing is said; add one of above"),
        (ALARM + f"point: {LAMP}, above: 1, below: 0}}", "'below' stands beside 'above'; an alarm on a point has one"),
        (ALARM + f"point: {STATUS}, is: true, deadband: 1}}", "'deadband' belongs to 'above' or 'below'; remove"),
        (ALARM + f"point: {STATUS}, bad_for: 1s, on_delay: 1s}}", "'on_delay' is what 'bad_for' says already"),
        (ALARM + f"point: {STATUS}, is: true, link: plant}}", "'link' stands beside 'point'; an alarm is about one"),
        (ALARM.strip(", ") + "}", "an alarm is about one thing, and nothing is said; add one of point, verdict"),
        (ALARM + "link: plont}", "there is no link 'plont'; did you mean 'plant'?"),
        (ALARM + "device: nothing_like_it}", "there is no device 'nothing_like_it'; known devices: "),
        (ALARM + "strategy: garaje}", "there is no strategy 'garaje'; did you mean 'garage'?"),
        (ALARM + "strategy: garage, above: 3}", "'above' belongs to a point, and this alarm is about a strategy"),
        (ALARM + "strategy: garage, points: [a.b]}", "'points' belongs to a verdict"),
        (ALARM + "verdict: ignored, points: [garage.group_7]}", "'garage.group_7' is no point that can be written"),
        (ALARM + "verdict: stubborn}", "'verdict' is the text 'stubborn'; write one of"),
        (ALARM + f"point: {STATUS}, is: true, pryority: low}}", "the key 'pryority' is unknown"),
        (
            ALARM + f"point: {LAMP}, above: 1, only_while: {{point: {STATUS}, is: 3, lasting: 1s}}}}",
            "'lasting' has no meaning here",
        ),
        (SIREN + "point: plant.chiller_1.enable_comand", "there is no point 'plant.chiller_1.enable_comand'; did you"),
        (SIREN + f"point: {LAMP}", f"'{LAMP}' is nothing that can be switched on; name the command of a siren"),
        (SIREN + f"{{point: {ENABLE}, silence: {{point: {STATUS}, is: 3}}}}", f"'{STATUS}' is never 3; write"),
        ("routes:\n  - {id: x, priority: high, language: en, to: wecombot://key}", "a secret stands in the file"),
        (ROUTE.replace("ROUTE", "NOBODY"), "the environment variable 'NOBODY' is not set"),
        (ROUTE.replace("ROUTE", "SECRET"), "what the secret holds is no address that Apprise knows; write one like"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, wrong: str, site: Path, told: Told) -> None:
    (site / "alarms.yaml").write_text(text + "\n")
    problems = told()
    assert any(problem.startswith(f"alarms.yaml:2: {wrong}") for problem in problems), problems


def test_a_siren(site: Path) -> None:
    text = f"siren: {{point: {ENABLE}, longest: 5min, silence: {{point: {STATUS}, is: true}}}}\n"
    (site / "alarms.yaml").write_text(text)
    button = Condition(PointId(STATUS), True)
    assert compiled(site).alarms.siren == Siren(PointId(ENABLE), Priority.URGENT, timedelta(minutes=5), button)


def test_a_siren_that_sounds_when_it_is_let_go_is_refused(site: Path, told: Told, edit: Edit) -> None:
    edit("templates/test/plant.yaml", "release: {remote_bit: chiller.remote}", "release: {safe_value: true}")
    (site / "alarms.yaml").write_text(f"siren:\n  point: {ENABLE}\n")
    assert any(f"alarms.yaml:2: '{ENABLE}' would sound whenever it is let go; " in problem for problem in told())


def test_all_of_it_is_told_at_once(site: Path, told: Told) -> None:
    (site / "manager").write_text("json://manager.example.org\n")
    text = WHOLE.replace("!env SECRET", "!file manager").replace("id: too_dark", "id: too_bright")
    text = text.replace("strategy: garage,", "strategy: garuge,").replace("id: silent", "id: ignored")
    (site / "alarms.yaml").write_text(text.replace("after: 15min", "after: 0.5s"))
    assert [problem.partition("; ")[0] for problem in told()][:3] == [
        "alarms.yaml:13: the alarm 'too_bright' is there already, by line 2",
        "alarms.yaml:15: 'ignored' is the name of a built-in alarm",
        "alarms.yaml:18: there is no strategy 'garuge'",
    ]
    assert told()[3].startswith("alarms.yaml:25: a time of 0.5 s is too short")


def test_the_example_of_the_documentation_compiles(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    folder = tmp_path / "site"
    shutil.copytree(ROOT / "config" / "sites" / "demo", folder, ignore=shutil.ignore_patterns("state"))
    (folder / "alarms.yaml").write_text(example, encoding="utf-8")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "director").write_text("json://director.example.org")
    environment = {"NIGHT_SHIFT": "json://shift.example.org", "MANAGER": "json://manager.example.org"}
    site = compile_site(folder, ROOT / "config" / "templates", driver_kind, strategy_kind, environment=environment)
    assert len(site.alarms.rules) == len(site.alarms.adjustments) == 3
    assert [len(route.ladder) for route in site.alarms.routes] == [3]

"""Fitting a machine to a log and scoring it, on logs of machines that are known."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from simulator.chiller_fit import alone, fit, powers
from simulator.chiller_log import LogColumns, read_log
from simulator.chillers import read_chillers
from simulator.likeness import (
    Reading,
    constant_cop,
    constant_cops,
    halves,
    measured,
    plant,
    quadratic_in_load,
    responses,
    score,
)
from simulator.plant.chiller import operate, scaled

OURS = read_chillers()
NAME = "Trane CVHE centrifugal with variable speed"
TRUTH = scaled(OURS[NAME].model, 1200.0, 6.0)


def log(noise: float = 0.0) -> list[Reading]:
    """400 h of two machines of one kind, the second above 900 kW, the weather warming; more or less noise on power."""
    random, found = Random(5), list[Reading]()
    for hour in range(400):
        load = random.uniform(200.0, 2000.0)
        entering = random.uniform(20.0, 26.0) + hour / 100.0
        loads = (load, 0.0) if load < 900.0 else (load / 2.0, load / 2.0)
        power = sum(operate(TRUTH, each, 1.0, 7.0, entering).power for each in loads if each > 0.0)
        found.append(Reading(loads, power * random.gauss(1.0, noise), 7.0, entering))
    return found


def test_finds_the_machine_that_made_a_log() -> None:
    cut = halves(log(noise=0.02))
    best = fit(cut.fitted, OURS.values())[0]
    assert best.chiller.name == NAME
    assert best.model.capacity == pytest.approx(1200.0, rel=0.05)
    assert best.model.cop == pytest.approx(6.0, rel=0.02)
    reached = score(plant(best.model), cut.scored)
    assert reached.cv_rmse < 0.025
    assert abs(reached.bias) < 0.005
    assert reached.cv_rmse < 0.3 * score(constant_cop(cut.fitted), cut.scored).cv_rmse
    assert reached.cv_rmse < 0.5 * score(quadratic_in_load(cut.fitted), cut.scored).cv_rmse


def test_a_log_fitted_to_nothing_but_its_load_has_no_error_where_power_is_a_quadratic() -> None:
    readings = [Reading((load,), 40.0 + 0.1 * load + 1e-5 * load * load, 7.0, 28.0) for load in range(200, 1200)]
    assert score(quadratic_in_load(readings), readings) == pytest.approx((0.0, 0.0), abs=1e-9)
    assert score(lambda reading: 1.1 * reading.power, readings).bias == pytest.approx(0.1)


def test_the_half_to_score_on_is_the_later_one_and_small_loads_are_counted_out() -> None:
    readings = log()
    readings[10] = readings[10]._replace(loads=(150.0, 0.0))
    readings[300] = readings[300]._replace(loads=(0.0, 0.0))
    cut = halves(readings)
    assert (len(cut.fitted), len(cut.scored), cut.excluded) == (199, 199, 2)
    assert [*cut.fitted, *cut.scored] == [reading for reading in readings if reading.load > 150.0]
    with pytest.raises(ValueError, match="49 readings with load and power; expected at least 96"):
        halves(readings[:50])


def test_responses_have_the_signs_of_a_chiller() -> None:
    found = responses(measured, log())
    assert found.condenser < 0.0
    assert found.load < 0.0  # variable speed is better at part load
    assert responses(plant(TRUTH), log()) == pytest.approx(found)


def test_a_plant_of_different_machines_is_fitted_on_the_hours_of_each_alone() -> None:
    readings = log()
    assert {len(reading.loads) for reading in alone(readings, 0)} == {1}
    assert len(alone(readings, 0)) == sum(reading.loads[1] == 0.0 for reading in readings)
    assert alone(readings, 1) == []
    own = constant_cops([Reading((300.0,), 60.0, 7.0, 28.0)], [Reading((300.0,), 100.0, 7.0, 28.0)])
    assert own(readings[0]._replace(loads=(600.0, 300.0))) == pytest.approx(220.0)
    both = readings[0]._replace(loads=(500.0, 300.0))
    other = OURS["DOE-2 centrifugal"].model
    expected = operate(TRUTH, 500.0, 1.0, 7.0, both.condenser_entering).power
    expected += operate(other, 300.0, 1.0, 7.0, both.condenser_entering).power
    assert plant(TRUTH, other)(both) == pytest.approx(expected)


@pytest.mark.parametrize("name", OURS)
def test_the_search_sees_what_the_plant_runs(name: str) -> None:
    model = scaled(OURS[name].model, 1000.0)
    random = Random(7)
    rows = [(random.uniform(0.0, 1300.0), random.uniform(3.0, 13.0), random.uniform(10.0, 38.0)) for _ in range(200)]
    one_by_one = [operate(model, load, 1.0, leaving, entering).power for load, leaving, entering in rows]
    assert powers(model, *(np.array(column) for column in zip(*rows, strict=True))) == pytest.approx(
        one_by_one, rel=1e-3
    )


def test_a_log_is_read_with_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "power_kw,a,b,condenser_entering_c,leaving_c\n"
        "100,500,3,28.5,7.2\n"  # the second machine stands
        "100,500,,28.5,7.2\n"
        "100,500,400,28.5,\n"
    )
    columns = LogColumns(("a", "b"))
    assert read_log(path, columns) == ([Reading((500.0, 0.0), 100.0, 7.2, 28.5)], 2)
    stated, incomplete = read_log(path, LogColumns(("a", "b"), leaving=6.5))
    assert (len(stated), incomplete, stated[1].leaving) == (2, 1, 6.5)
    with pytest.raises(ValueError, match=r"log.csv:1: no column load_kw; expected columns load_kw, power_kw"):
        read_log(path, LogColumns())
    path.write_text("power_kw,load_kw,condenser_entering_c,leaving_c\nhot,500,28,7\n")
    with pytest.raises(ValueError, match=r"log.csv:2: power_kw is 'hot'; expected a number or an empty field"):
        read_log(path, LogColumns())

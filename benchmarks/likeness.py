"""How like three real plants the simulator's chillers are: fitted on the first half of each log, scored on the second.

Run: python benchmarks/likeness.py [--json]; reads $TIDEWATT_REFERENCE, else ../shared/data.
     python benchmarks/likeness.py --log FILE.csv [--machines FILE.csv]   on a log of your own (docs/plant-models.md)
Fitted are the choice of a machine and two numbers, capacity and COP; beside it a constant COP and a quadratic in the
load. Target for the tropical plant: CV(RMSE) <= 15 %, bias <= 3 %, at most 0.75 of a constant COP's error.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.chiller_fit import Fit, alone, fit
from simulator.chiller_log import LogColumns, read_log
from simulator.chillers import SHIPPED, CatalogueChiller, read_chillers
from simulator.likeness import (
    Halves,
    Predict,
    Reading,
    Responses,
    Score,
    constant_cop,
    constant_cops,
    halves,
    measured,
    plant,
    quadratic_in_load,
    responses,
    score,
)

REFERENCE = Path(os.environ.get("TIDEWATT_REFERENCE") or Path(__file__).resolve().parents[2] / "shared" / "data")
CATALOGUE = "chillers/chiller_curves.csv.gz"

TROPICAL = LogColumns(("load_kw_th",), "chillers_kw", "cw_in_c", "chws_c")
STATED_LEAVING = 7.0
"""[degC] of chilled water where a log has none: the usual design."""
SINGAPORE = LogColumns(("load_kw_th",), "chiller_kw", "cw_temp_c", STATED_LEAVING)
ONE_CARRIES = 2240.0
"""[kW] In the fitted half a second machine runs above: power steps up by a fifth, cooling water falls by 2.5 K."""
STATED_COP, STATED_FLOW = 6.0, 0.0538
"""Of the condenser of a design [kW/kW; kg/s for each kW, AHRI 550/590]: what the water warms between in and out."""
HSINCHU = LogColumns(
    ("ch_p1c1_kw_th", "ch_p1c2_kw_th", "ch_p2c1_kw_th"), "chiller_kw", "cw_supply_c_max", STATED_LEAVING
)


class Row(NamedTuple):
    """One plant, or a part of it: what was left out, what was fitted, and scores on the second half. spread: CV(RMSE)
    there of the five machines that were best on the first; own_cops: constant COPs, of each machine its own.
    """

    plant: str
    fitted: int
    scored: int
    excluded: int
    incomplete: int
    machines: str
    in_sample: Score
    model: Score
    spread: tuple[float, float]
    constant_cop: Score
    own_cops: Score | None
    quadratic: Score
    log_responds: Responses
    model_responds: Responses


def water_cooled(catalogue: Iterable[CatalogueChiller]) -> list[CatalogueChiller]:
    """Machines for a plant with cooling water; curves by the temperature of the air mean something else."""
    return [chiller for chiller in catalogue if "air cooled" not in chiller.name.lower()]


def singapore(readings: Iterable[Reading]) -> list[Reading]:
    """One or two machines by load; entering condenser water from the leaving one, which the log has.

    That `cw_temp_c` is the leaving water shows in its rise of 4 K for each MW of a machine and its fall when a second
    pump starts.
    """
    found: list[Reading] = []
    for reading in readings:
        count = 1 if reading.load <= ONE_CARRIES else 2
        rise = reading.load * (1.0 + 1.0 / STATED_COP) / (count * STATED_FLOW * ONE_CARRIES * WATER_SPECIFIC_HEAT)
        found.append(
            reading._replace(
                loads=(reading.load / count,) * count, condenser_entering=reading.condenser_entering - rise
            )
        )
    return found


def tropical_row(reference: Path, catalogue: Sequence[CatalogueChiller], *, exchanged: bool = False) -> Row:
    """The four-chiller plant, of which one runs; exchanged: fitted on the second half and scored on the first."""
    readings, incomplete = read_log(reference / "chillers/plant_tropical_10min_2023_12.csv.gz", TROPICAL)
    cut = halves(readings)
    if exchanged:
        return _one_kind(
            "the same, halves exchanged", Halves(cut.scored, cut.fitted, cut.excluded), incomplete, catalogue
        )
    return _one_kind("Tropical, December, 10 min", cut, incomplete, catalogue)


def singapore_row(reference: Path, catalogue: Sequence[CatalogueChiller]) -> Row:
    readings, incomplete = read_log(reference / "cooling/cool_singapore_30min.csv.gz", SINGAPORE)
    return _one_kind("Singapore, 30 min", halves(singapore(readings)), incomplete, catalogue)


def hsinchu_rows(reference: Path, catalogue: Sequence[CatalogueChiller]) -> list[Row]:
    """The plant of three different machines, each fitted on its hours alone, then every machine by itself."""
    readings, incomplete = read_log(reference / "cooling/cool_hsinchu_60min.csv.gz", HSINCHU)
    cut = halves(readings)
    fits = [fit(alone(cut.fitted, machine), catalogue) for machine in range(len(HSINCHU.loads))]
    spread = [score(plant(*(each[rank].model for each in fits)), cut.scored).cv_rmse for rank in range(5)]
    names = "; ".join(_named(each[0]) for each in fits)
    whole = _row("Hsinchu, hourly", cut, incomplete, names, plant(*(each[0].model for each in fits)), spread)
    own = constant_cops(*(alone(cut.fitted, machine) for machine in range(len(HSINCHU.loads))))
    rows = [whole._replace(own_cops=score(own, cut.scored))]
    for machine, (column, found) in enumerate(zip(HSINCHU.loads, fits, strict=True)):
        part = Halves(alone(cut.fitted, machine), alone(cut.scored, machine), 0)
        spread = [score(plant(each.model), part.scored).cv_rmse for each in found]
        name = f"of it {column.split('_')[1]} alone"
        rows.append(_row(name, part, 0, _named(found[0]), plant(found[0].model), spread))
    return rows


def _one_kind(name: str, cut: Halves, incomplete: int, catalogue: Sequence[CatalogueChiller]) -> Row:
    found = fit(cut.fitted, catalogue)
    spread = [score(plant(each.model), cut.scored).cv_rmse for each in found]
    return _row(name, cut, incomplete, _named(found[0]), plant(found[0].model), spread)


def _row(name: str, cut: Halves, incomplete: int, machines: str, model: Predict, spread: Sequence[float]) -> Row:
    return Row(
        name,
        len(cut.fitted),
        len(cut.scored),
        cut.excluded,
        incomplete,
        machines,
        score(model, cut.fitted),
        score(model, cut.scored),
        (min(spread), max(spread)),
        score(constant_cop(cut.fitted), cut.scored),
        None,
        score(quadratic_in_load(cut.fitted), cut.scored),
        responses(measured, cut.scored),
        responses(model, cut.scored),
    )


def _named(found: Fit) -> str:
    return f"{found.chiller.name}: {found.model.capacity:,.0f} kW, COP {found.model.cop:.2f}"


# --- the table --------------------------------------------------------------------------------------------------------


_HEAD = (
    "plant",
    "readings fitted, scored",
    "left out: load < 10 %, incomplete",
    "model: CV(RMSE), bias",
    "the five best machines",
    "constant COP",
    "quadratic in load",
    "COP for 1 K: log, model",
    "COP for 100 kW: log, model",
)


def printed(rows: Sequence[Row]) -> None:
    print(f"| {' | '.join(_HEAD)} |")
    print("|---" * len(_HEAD) + "|")
    for row in rows:
        cells = (
            row.plant,
            f"{row.fitted:,}, {row.scored:,}",
            f"{row.excluded}, {row.incomplete}",
            f"**{_score(row.model)}** (where fitted {_score(row.in_sample)})",
            f"{100 * row.spread[0]:.1f} to {100 * row.spread[1]:.1f} %",
            f"{_score(row.constant_cop)}" + (f" (each its own: {_score(row.own_cops)})" if row.own_cops else ""),
            _score(row.quadratic),
            f"{row.log_responds.condenser:+.2f}, {row.model_responds.condenser:+.2f}",
            f"{100 * row.log_responds.load:+.2f}, {100 * row.model_responds.load:+.2f}",
        )
        print(f"| {' | '.join(cells)} |")
    print()
    for row in rows:
        print(f"{row.plant}: {row.machines}")


def _score(found: Score) -> str:
    return f"{100 * found.cv_rmse:.1f} %, {100 * found.bias:+.1f} %"


def of_reference(reference: Path, catalogue: Sequence[CatalogueChiller]) -> list[Row]:
    """The three plants of the reference records."""
    tropical = [tropical_row(reference, catalogue, exchanged=exchanged) for exchanged in (False, True)]
    return [*tropical, singapore_row(reference, catalogue), *hsinchu_rows(reference, catalogue)]


def of_log(path: Path, leaving: float | None, catalogue: Sequence[CatalogueChiller]) -> list[Row]:
    """A log of one's own; leaving: chilled water where it has none [degC]."""
    readings, incomplete = read_log(path, LogColumns(leaving="leaving_c" if leaving is None else leaving))
    return [_one_kind(path.name, halves(readings), incomplete, catalogue)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--json", action="store_true", help="the rows as JSON")
    arguments.add_argument("--log", type=Path, help="a log of your own instead of the three")
    arguments.add_argument("--leaving", type=float, help="its chilled water in degC, where it has no column leaving_c")
    arguments.add_argument("--machines", type=Path, help="the machines to choose from")
    given = arguments.parse_args()
    machines = given.machines or (SHIPPED if given.log else REFERENCE / CATALOGUE)
    try:
        catalogue = water_cooled(read_chillers(machines).values())
        rows = of_log(given.log, given.leaving, catalogue) if given.log else of_reference(REFERENCE, catalogue)
    except ValueError as error:
        arguments.exit(2, f"{error}\n")
    if given.json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        printed(rows)


if __name__ == "__main__":
    main()

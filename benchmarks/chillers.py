"""What the machines of a table are: their factors at the reference point, what their curves do, what a step costs.

Run: python benchmarks/chillers.py [FILE.csv]; without a file the machines that come with the project.
The columns of a table: docs/plant-models.md.
"""

from __future__ import annotations

import argparse
import timeit
from pathlib import Path

from simulator.chillers import SHIPPED, CatalogueChiller, read_chillers
from simulator.plant.chiller import CondenserSide
from simulator.plant.chiller_control import ControlState, Mode
from simulator.plant.chiller_traits import entering_range, traits
from simulator.plant.chiller_unit import ChillerUnit, UnitInputs, UnitState, step

HEAD = (
    "machine",
    "kW",
    "COP",
    "condenser water",
    "factors: capacity, input, part load",
    "power rises with load, with condenser water; falls with chilled water",
    "held up by Carnot's limit",
)
STEPS, REPEATS = 2000, 5


def cells(chiller: CatalogueChiller) -> tuple[str, ...]:
    found, model = traits(chiller.model), chiller.model
    marks = (found.rises_with_load, found.rises_with_condenser, found.falls_with_leaving)
    return (
        chiller.name,
        f"{model.capacity:,.0f}",
        f"{model.cop:.2f}",
        "entering" if model.condenser_side is CondenserSide.ENTERING else "leaving",
        ", ".join(f"{factor:.3f}" for factor in chiller.factors),
        ", ".join("everywhere" if mark else "not everywhere" for mark in marks),
        f"{100 * found.held_up:.0f} %" if found.held_up else "nowhere",
    )


def microseconds(chiller: CatalogueChiller) -> float:
    """What a step of the running machine at half load costs, least of some rounds."""
    unit, model = ChillerUnit(chiller.model), chiller.model
    entering, setpoint = model.leaving_reference + 3.0, model.leaving_reference
    inputs = UnitInputs(True, setpoint, entering, model.evaporator_flow, entering_range(model)[1], model.condenser_flow)
    state = UnitState(ControlState(Mode.RUNNING, 1000.0))
    rounds = timeit.repeat(lambda: step(unit, state, inputs, 10.0), number=STEPS, repeat=REPEATS)
    return min(rounds) / STEPS * 1e6


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("file", type=Path, nargs="?", default=SHIPPED)
    given = arguments.parse_args()
    try:
        machines = read_chillers(given.file)
    except ValueError as error:
        arguments.exit(2, f"{error}\n")
    print(f"| {' | '.join(HEAD)} |")
    print("|---" * len(HEAD) + "|")
    for chiller in machines.values():
        print(f"| {' | '.join(cells(chiller))} |")
    print()
    for side in CondenserSide:
        some = next((each for each in machines.values() if each.model.condenser_side is side), None)
        if some is not None:
            print(f"a step by {side.name.lower()} condenser water: {microseconds(some):.0f} µs")


if __name__ == "__main__":
    main()

"""Chillers as parameter sets: a table of machines, one a line, read and checked.

A catalogue machine keeps two models: as published, and normalised so that its curves are one at their reference point.
Catalogues do not always hold to that: some records are off by a quarter, because the curves were fitted to other points
than the one that gave capacity and COP. The factors are kept and shown; `model` is what a plant should be built of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from simulator.plant.chiller import (
    Bicubic,
    Biquadratic,
    ChillerModel,
    CondenserSide,
    Factors,
    biquadratic,
    in_part_load,
    normalised,
    reference_factors,
)
from simulator.records import RecordFile, Row

SHIPPED = Path(__file__).with_name("chillers.csv")
"""The machines that come with the project, each with its source."""

_SIDES: Mapping[str, CondenserSide] = {"entering": CondenserSide.ENTERING, "leaving": CondenserSide.LEAVING}
_GRID = 6
_TEMPERATURE_TERMS, _PART_LOAD_TERMS, _EIR_TERMS = 6, 10, 3
_COLUMNS = (
    *("name", "capacity_kw", "cop_ref", "plr_min", "plr_unload_min", "plr_max", "chw_kg_s", "cw_kg_s", "motor_eff"),
    *("t_chws_ref_c", "t_chws_min_c", "t_chws_max_c", "t_con_kind", "t_con_ref_c", "t_con_min_c", "t_con_max_c"),
    *(f"capFunT_{term}" for term in range(1, _TEMPERATURE_TERMS + 1)),
    *(f"EIRFunT_{term}" for term in range(1, _TEMPERATURE_TERMS + 1)),
    *(f"EIRFunPLR_{term}" for term in range(1, _EIR_TERMS + 1)),
)


@dataclass(frozen=True, slots=True)
class CatalogueChiller:
    """name and source of a machine; published: its curves as they stand there; factors: what these give at the
    reference point; model: the same, normalised.
    """

    name: str
    source: str
    published: ChillerModel
    factors: Factors
    model: ChillerModel


def read_chillers(path: Path = SHIPPED) -> dict[str, CatalogueChiller]:
    """The machines of a table (.csv or .csv.gz; columns in docs/plant-models.md) by name, in its order.

    Raises ValueError with file, line and what would be right.
    """
    table = RecordFile(path)
    columns = table.columns()
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise table.problem(1, f"no column {', '.join(missing)}", "the columns of a table of chillers")
    found: dict[str, CatalogueChiller] = {}
    for line, row in table.rows():
        machine = _machine(table, line, row)
        if machine.name in found:
            raise table.problem(line, f"a second {machine.name!r}", "one line a machine")
        found[machine.name] = machine
    if not found:
        raise table.problem(2, "no machine", "one line a machine")
    return found


def _machine(table: RecordFile, line: int, row: Row) -> CatalogueChiller:
    name = row["name"].strip()
    if not name:
        raise table.problem(line, "no name", "the name of a machine")
    published = _model(table, line, row)
    for curve, terms in (("capFunT", published.capacity_curve), ("EIRFunT", published.input_curve)):
        least = _least(terms, published.leaving_range, published.condenser_range)
        if least <= 0.0:
            raise table.problem(line, f"{curve} falls to {least:.3g} in its range", "more than 0")
    try:
        model = normalised(published)
    except ValueError as error:
        raise table.problem(line, str(error).partition(";")[0], "curves near 1 there") from error
    return CatalogueChiller(name, row.get("source", "").strip(), published, reference_factors(published), model)


def _least(curve: Biquadratic, leaving: tuple[float, float], condenser: tuple[float, float]) -> float:
    """The least value of a curve on a grid over its ranges."""
    shares = [step / _GRID for step in range(_GRID + 1)]
    spread = [[low + (high - low) * share for share in shares] for low, high in (leaving, condenser)]
    return min(biquadratic(curve, x, y) for x, y in product(*spread))


def _model(table: RecordFile, line: int, row: Row) -> ChillerModel:
    def number(column: str, low: float, high: float) -> float:
        value = table.number(line, row, column, low, high)
        if value is None:
            raise table.problem(line, f"{column} is empty", f"a value from {low:g} to {high:g}")
        return value

    def span(reference: str, low: str, high: str, least: float, most: float) -> tuple[float, tuple[float, float]]:
        lowest, highest = number(low, least, most), number(high, least, most)
        return number(reference, lowest, max(lowest, highest)), (lowest, highest)

    kind = row["t_con_kind"].strip()
    if kind not in _SIDES:
        raise table.problem(line, f"t_con_kind is {kind!r}", "entering or leaving")
    leaving, leaving_range = span("t_chws_ref_c", "t_chws_min_c", "t_chws_max_c", 0.0, 30.0)
    condenser, condenser_range = span("t_con_ref_c", "t_con_min_c", "t_con_max_c", 0.0, 70.0)
    least = number("plr_min", 0.0, 1.0)
    return ChillerModel(
        capacity=number("capacity_kw", 1.0, 1e5),
        cop=number("cop_ref", 0.5, 30.0),
        capacity_curve=_biquadratic(table, line, row, "capFunT"),
        input_curve=_biquadratic(table, line, row, "EIRFunT"),
        part_load_curve=_part_load(table, line, row, _SIDES[kind]),
        leaving_range=leaving_range,
        condenser_range=condenser_range,
        minimum_part_load_ratio=least,
        minimum_unloading_ratio=number("plr_unload_min", least, 1.0),
        leaving_reference=leaving,
        condenser_reference=condenser,
        evaporator_flow=number("chw_kg_s", 0.01, 1e5),
        condenser_flow=number("cw_kg_s", 0.01, 1e5),
        maximum_part_load_ratio=number("plr_max", 0.5, 2.0),
        condenser_side=_SIDES[kind],
        motor_efficiency=number("motor_eff", 0.5, 1.0),
    )


def _biquadratic(table: RecordFile, line: int, row: Row, curve: str) -> Biquadratic:
    a, b, c, d, e, f = (_term(table, line, row, f"{curve}_{term}") for term in range(1, _TEMPERATURE_TERMS + 1))
    return (a, b, c, d, e, f)


def _part_load(table: RecordFile, line: int, row: Row, side: CondenserSide) -> Bicubic:
    terms = [_term(table, line, row, f"EIRFunPLR_{term}") for term in range(1, _PART_LOAD_TERMS + 1)]
    if side is CondenserSide.LEAVING:
        a, b, c, d, e, f, g, h, i, j = terms
        return (a, b, c, d, e, f, g, h, i, j)
    if any(terms[_EIR_TERMS:]):
        raise table.problem(line, "a part-load curve of more than three terms", "three terms with t_con_kind entering")
    return in_part_load(*terms[:_EIR_TERMS])


def _term(table: RecordFile, line: int, row: Row, column: str) -> float:
    """A coefficient; one that is empty, or has no column, is none."""
    return (table.number(line, row, column, -1e6, 1e6) or 0.0) if column in row else 0.0

"""A plant's log as readings: which column is what, and stated values for what nobody measured."""

from dataclasses import dataclass
from pathlib import Path

from simulator.likeness import Reading
from simulator.records import RecordFile

_LIMITS = (-1e6, 1e6)


@dataclass(frozen=True, slots=True)
class LogColumns:
    """loads: cooling load of each machine [kW], or of the plant where one runs; power: electricity of all chillers
    [kW]; condenser: entering condenser water [degC]; leaving: leaving chilled water [degC], or its design value where
    it was not logged. A load below `standing` [kW] is that of a machine that stands.
    """

    loads: tuple[str, ...] = ("load_kw",)
    power: str = "power_kw"
    condenser: str = "condenser_entering_c"
    leaving: str | float = "leaving_c"
    standing: float = 20.0


def read_log(path: Path, columns: LogColumns) -> tuple[list[Reading], int]:
    """The readings of a log (.csv or .csv.gz, any interval, in order of time), and how many lines lack a value.

    Raises ValueError with file, line and what would be right.
    """
    table = RecordFile(path)
    names = [*columns.loads, columns.power, columns.condenser]
    if isinstance(columns.leaving, str):
        names.append(columns.leaving)
    missing = [name for name in names if name not in table.columns()]
    if missing:
        raise table.problem(1, f"no column {', '.join(missing)}", f"columns {', '.join(names)}")
    readings, incomplete = list[Reading](), 0
    for line, row in table.rows():
        values = [table.number(line, row, name, *_LIMITS) for name in names]
        known = [value for value in values if value is not None]
        if len(known) < len(names):
            incomplete += 1
            continue
        count = len(columns.loads)
        loads = tuple(load if load >= columns.standing else 0.0 for load in known[:count])
        power, condenser = known[count : count + 2]
        leaving = known[-1] if isinstance(columns.leaving, str) else columns.leaving
        readings.append(Reading(loads, power, leaving, condenser))
    return readings, incomplete

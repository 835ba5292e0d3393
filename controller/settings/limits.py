"""What a machine and its registers endure, as a template or a device of the site says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

from controller.core.point import Limits, Range, Restore, SafeValue, ValueType, Wear, Writable
from controller.settings.candidate import Candidate
from controller.settings.conversion import difference_inside, range_inside
from controller.settings.document import Where
from controller.settings.schema.endurance import EnduranceEntry, LimitsEntry, MachineLimitsEntry, WearEntry

Tell: TypeAlias = Callable[[Where, str, str], None]

_DAY = timedelta(days=1)


def limits_of(entry: LimitsEntry, point: Candidate, where: Where, sheet: str, tell: Tell) -> Limits:
    """sheet: where they stand if the entry names none."""
    return _limits(entry, point, where, entry.source or sheet, tell)


def _limits(entry: EnduranceEntry, point: Candidate, where: Where, source: str, tell: Tell) -> Limits:
    two_state = point.quantity.type is ValueType.BOOLEAN
    if entry.maximum_rate is not None and two_state:
        tell((*where, "maximum_rate"), "an on/off point has no rate", "remove 'maximum_rate'")
    of_switches = {
        "minimum_on": entry.minimum_on,
        "minimum_off": entry.minimum_off,
        "starts_per_hour": entry.starts_per_hour,
    }
    for name, limit in of_switches.items():
        if limit and not two_state:
            tell((*where, name), f"'{name}' fits on/off points only", f"remove '{name}'")
    rate = None if entry.maximum_rate is None else difference_inside(entry.maximum_rate, point.conversion)
    return Limits(
        rate,
        entry.minimum_on,
        entry.minimum_off,
        brighter_is_safe=point.is_lamp,
        starts_per_hour=entry.starts_per_hour,
        source=source if entry.model_fields_set & set(EnduranceEntry.model_fields) else "",
    )


def wear_of(entry: WearEntry, where: Where, sheet: str, tell: Tell) -> Wear:
    """sheet: where it stands if the entry names none."""
    if entry.writes_per_day is None and not entry.minimum_interval:
        tell(where, "the wear says no limit", "add writes_per_day, minimum_interval or both")
    elif entry.minimum_interval > _DAY:
        hours = entry.minimum_interval.total_seconds() / 3600
        tell((*where, "minimum_interval"), f"one write every {hours:g} hours controls nothing", "write at most 1d")
    return Wear(entry.writes_per_day, entry.minimum_interval, entry.source or sheet)


# --- of one machine ---------------------------------------------------------------------------------------------------


def of_machine(writable: Writable, said: Candidate, entry: MachineLimitsEntry, where: Where, tell: Tell) -> Writable:
    """The writable with what the maker's sheet of this very machine says. Numbers are in the template's unit."""
    own = _limits(entry, said, where, entry.source, tell)
    fields = entry.model_fields_set & set(EnduranceEntry.model_fields)
    source = "; ".join(each for each in (entry.source, writable.limits.source) if each)
    limits = replace(writable.limits, **{name: getattr(own, name) for name in fields}, source=source)
    allowed = writable.range
    if entry.range is not None:
        allowed = _narrowed(writable, range_inside(entry.range, said.conversion), (*where, "range"), tell)
    return replace(writable, range=allowed, limits=limits)


def _narrowed(writable: Writable, narrower: Range, where: Where, tell: Tell) -> Range:
    wider, release = writable.range, writable.release
    if narrower.low >= narrower.high or not (wider.holds(narrower.low) and wider.holds(narrower.high)):
        tell(where, "the range is no part of the template's", "a machine's range lies inside that of its type")
    elif isinstance(release, SafeValue) and not narrower.holds(float(release.value)):
        tell(where, "the safe value by which it is let go lies outside the range", "widen the range")
    elif isinstance(release, Restore) and not (
        narrower.holds(release.within.low) and narrower.holds(release.within.high)
    ):
        tell(where, "what may be restored on letting go lies outside the range", "widen the range")
    elif writable.limits.brighter_is_safe and narrower.high < wider.high:
        tell(where, "the lamps could not be fully on", "leave the highest of the range as it is")
    return narrower

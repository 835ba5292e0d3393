"""What machines and registers endure, as a template and a site may say it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from controller.core.guard import MOST_STARTS_PER_HOUR
from controller.settings.schema.words import Duration, Entry, Label, Pair


def _count(most: int) -> Any:
    return Field(ge=1, le=most, description=f"a whole number from 1 to {most}")


class EnduranceEntry(Entry):
    maximum_rate: Annotated[float, Field(gt=0)] | None = None
    minimum_on: Duration = timedelta(0)
    minimum_off: Duration = timedelta(0)
    starts_per_hour: Annotated[int, _count(MOST_STARTS_PER_HOUR)] | None = None


class LimitsEntry(EnduranceEntry):
    source: Label | None = None


class WearEntry(Entry):
    writes_per_day: Annotated[int, _count(86_400)] | None = None
    minimum_interval: Duration = timedelta(0)
    source: Label | None = None


class MachineLimitsEntry(EnduranceEntry):
    """Of one machine at this site; what it does not say its template says."""

    source: Label
    range: Pair | None = None

"""A work order: what somebody is to do about an alarm, until somebody says what was done."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from controller.core.alarm import AlarmId


class WorkOrder(NamedTuple):
    """opened, closed: aware UTC. text: what is to be done, and by whom. done: what was; even_so: why it was closed
    although the alarm was still active."""

    number: int
    alarm: AlarmId
    opened: datetime
    opened_by: str
    text: str
    closed: datetime | None = None
    closed_by: str = ""
    done: str = ""
    even_so: str = ""

    @property
    def is_open(self) -> bool:
        return self.closed is None

"""What whoever serves, drives or counts a simulated building needs of it, small demo or tower building.

Two kinds of time: simulated time is aware UTC and moves the building; wire time is real seconds and drives only the
watchdogs of its gateways. The same start, seed, faults and writes give the same numbers to the bit, however often
`advance` is called, and reading never moves the building. Whoever has one can pickle it and go on with the copy.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from simulator.faults.fault import Fault
from simulator.faults.schedule import Schedule
from simulator.gateway import Value
from simulator.kpi import Counted
from simulator.tags import Tag


class SimulatedSite(Protocol):
    """A building behind its tags, with its old controls, its gateways, and what goes wrong."""

    @property
    def now(self) -> datetime:
        """Simulated time, aware UTC: the last step that was reached."""
        ...

    @property
    def tags(self) -> Mapping[str, Tag]:
        """What can be read and written, by name."""
        ...

    @property
    def counted(self) -> Counted:
        """Which of them a comparison looks at."""
        ...

    @property
    def faults(self) -> Schedule:
        """What is wrong, and what is to come."""
        ...

    def advance(self, to: datetime, wire_now: float) -> None:
        """Let it run to the last step at or before `to`. Watchdogs that expire on the way do so at their share of it.
        Raises ValueError for a time that is past.
        """
        ...

    def read(self, tag: str) -> Value:
        """The present value, as it truly is. Raises KeyError for a name that is no tag."""
        ...

    def shown(self, tag: str) -> Value | None:
        """What the tag's instrument shows; None where it gives no reading. Raises KeyError for no tag."""
        ...

    def reading(self, tag: str) -> Callable[[], Value]:
        """How to read a tag again and again. Raises KeyError for a name that is no tag."""
        ...

    def snapshot(self) -> dict[str, Value]:
        """Every tag's present value."""
        ...

    def write(self, tag: str, value: Value, wire_now: float) -> None:
        """Write a tag as the supervisor would. Raises KeyError for no tag, ValueError for what the device refuses."""
        ...

    def release(self, tag: str, wire_now: float) -> None:
        """The supervisor's word is taken back (BACnet's Null): a remote bit clears, a command is nobody's."""
        ...

    # --- what goes wrong

    def add_fault(self, fault: Fault) -> None:
        """From its time on, at once where that is past."""
        ...

    def end_faults(self, faults: Iterable[Fault]) -> None:
        """What is wrong is mended now, what was to come does not."""
        ...

    def operate(self, tag: str, value: Value) -> None:
        """A person at the panel sets a register, as the supervisor would."""
        ...

    def lose_registers(self, points: Iterable[str]) -> None:
        """The devices behind these points have started anew: remote bits and registers are as after power-on."""
        ...

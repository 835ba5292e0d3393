"""What is wrong now, and what comes: the one object that the engine asks, and through it every door to the site."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from simulator.faults.fault import Fault
from simulator.faults.instrument import Seized, shown
from simulator.faults.wire import WELL, Wire, wires
from simulator.gateway import Value
from simulator.tags import Tag

_INSTRUMENT = frozenset({"drift", "stuck", "noise", "dropout", "meter_rollover", "meter_replacement"})


class Change(NamedTuple):
    """What ended and what began at one instant."""

    ended: Sequence[Fault]
    begun: Sequence[Fault]


class Schedule:
    """tags: of the building. seed: of noise and dropouts. `next_change`: plant time [s of the epoch] at which something
    begins or ends; `touched`: tags that are not read or answered as they are until then.
    """

    def __init__(self, tags: Mapping[str, Tag], faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self._seed = seed
        self._counts = frozenset([name for name, tag in tags.items() if tag.kind is int])
        self._to_come = sorted(faults, key=lambda each: each.begins)
        self._on: list[Fault] = []
        self._seized: dict[str, list[Seized]] = {}
        self._wires: Mapping[str, Wire] = {}
        self._deaf: frozenset[str] = frozenset()
        self.touched: frozenset[str] = frozenset()
        self.next_change = inf
        self._look()

    def add(self, fault: Fault) -> None:
        """It begins once `take` is called at its time."""
        self._to_come = sorted([*self._to_come, fault], key=lambda each: each.begins)
        self._look()

    @property
    def on(self) -> Sequence[Fault]:
        return self._on

    @property
    def to_come(self) -> Sequence[Fault]:
        return self._to_come

    def take(self, at: float, read: Callable[[str], Value]) -> Change:
        """Begin and end what is due. read: the tags as they really are."""
        ended = [each for each in self._on if each.ends <= at]
        due = [each for each in self._to_come if each.begins <= at]
        begun = [each for each in due if at < each.ends]
        self._to_come = self._to_come[len(due) :]
        self._on = [each for each in self._on if each.ends > at] + [each for each in begun if _stays(each)]
        for fault in begun:
            if fault.kind in _INSTRUMENT:
                self._seize(fault, read(fault.target), at)
        self._look()
        return Change(ended, begun)

    def end(self, faults: Iterable[Fault]) -> Change:
        """Somebody ends these, or what of them is still to come."""
        named = [*faults]
        ended = [each for each in self._on if any(each is other for other in named)]
        self._on = [each for each in self._on if not any(each is other for other in ended)]
        self._to_come = [each for each in self._to_come if not any(each is other for other in named)]
        self._look()
        return Change(ended, ())

    def _seize(self, fault: Fault, true: Value, at: float) -> None:
        before = self.shown(fault.target, true, at)
        self._seized.setdefault(fault.target, []).append(Seized(fault, true if before is None else before))

    def _look(self) -> None:
        """What is on decides what is read and answered until the next change."""
        self.next_change = min(
            [each.ends for each in self._on] + [each.begins for each in self._to_come[:1]], default=inf
        )
        kept = {id(each) for each in self._on}
        remaining = {tag: [each for each in all_ if id(each.fault) in kept] for tag, all_ in self._seized.items()}
        self._seized = {tag: seized for tag, seized in remaining.items() if seized}
        self._wires = wires(self._on)
        self.touched = frozenset((*self._seized, *self._wires))
        self._deaf = frozenset(each.target for each in self._on if each.kind == "ignored_write")

    # --- asked at every reading -----------------------------------------------------------------------------------

    @property
    def has_reading_faults(self) -> bool:
        return bool(self._seized)

    def shown(self, tag: str, value: Value, at: float) -> Value | None:
        """What the instrument shows of a true value; None where it gives no reading."""
        if tag not in self._seized:
            return value
        found: Value | None = value
        for seized in self._seized[tag]:
            found = shown(seized, tag, found, at, self._seed)
        return round(found) if found is not None and tag in self._counts else found

    def wire(self, point: str) -> Wire:
        """How the device behind a point answers."""
        return self._wires.get(point, WELL)

    def is_deaf(self, tag: str) -> bool:
        """Whether what is written there is taken and has no effect."""
        return tag in self._deaf


def _stays(fault: Fault) -> bool:
    """A new meter stays in place; what somebody did at a panel is done."""
    return fault.kind != "panel"

"""What the last arbitration leant on, so that a scan in which nothing of it has changed need not repeat it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from controller.core.command import PriorityArray
from controller.core.handover import Lifeline, next_beat
from controller.core.inhibition import Inhibition
from controller.core.ledger import Holding
from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.system import Authority
from controller.runtime.control import Control
from controller.runtime.image import FrozenImage
from controller.runtime.ledger import Ledger


class Rest:
    """leant: points whose values enter into arbitration, guard and release order.

    rested_at: when nothing had changed for the last time, monotonic. due_wire: when something is to be written once
    more all the same, by the wire's clock.
    """

    def __init__(
        self,
        controls: Iterable[Control],
        leant: frozenset[PointId],
        lifelines: Sequence[Lifeline],
        ledger: Ledger,
        authority: Mapping[str, Authority],
        clock: Clock,
    ) -> None:
        self._controls = tuple(controls)
        self._leant = leant
        self._lifelines = lifelines
        self._ledger = ledger
        self._authority = authority
        self._clock = clock
        self.rested_at = -math.inf
        self.due_wire = -math.inf
        # Until when only a change can bring anything new: monotonic.
        self._may_rest = False
        self._until = -math.inf
        self._settled_arrays: list[PriorityArray] = []
        self._settled_holdings: dict[PointId, Holding] = {}
        self._settled_authority: dict[str, Authority] = {}
        self._settled_inhibited: Mapping[PointId, Inhibition] = {}

    def lasts(self, image: FrozenImage, inhibited: Mapping[PointId, Inhibition]) -> bool:
        """Whether arbitration, guard and writer would come to what they came to last time.

        Everything wished is owned and nothing else is held, no limit acts, no wish, lease or authority has changed,
        nothing that they lean on shows another value, and no lease ends.
        """
        if not self._may_rest or image.monotonic >= self._until:
            return False
        if self._ledger.holdings != self._settled_holdings:
            if not self._ledger.stands_as(self._settled_holdings):
                return False
            self._settle_holdings()
        if self._authority != self._settled_authority or inhibited != self._settled_inhibited:
            return False
        if not self._leant.isdisjoint(image.changed):
            return False
        arrays = [control.array for control in self._controls]
        if arrays != self._settled_arrays:
            if not all(map(PriorityArray.wishes_as, arrays, self._settled_arrays)):
                return False
            self._settle_arrays(arrays)
        self.rested_at = image.monotonic
        return True

    def begin(self, inhibited: Mapping[PointId, Inhibition], *, is_settled: bool) -> None:
        """After an arbitration. is_settled: everything wished is owned, and nothing else is held."""
        self._may_rest = is_settled and not any(
            control.limit.en for control in self._controls if control.point.id not in inhibited
        )
        if not self._may_rest:
            return
        self._settle_arrays([control.array for control in self._controls])
        self._settle_holdings()
        self._settled_authority = dict(self._authority)
        self._settled_inhibited = inhibited

    def end_by(self, monotonic: float) -> None:
        """A lease ends then that is in no array which counts."""
        self._until = min(self._until, monotonic)

    def look_ahead(self, wire: float) -> None:
        """A job may be lost with its connection: what is still due is asked for again."""
        self.due_wire = min(self._ledger.next_assertion(), next_beat(self._lifelines, wire))

    def _settle_arrays(self, arrays: list[PriorityArray]) -> None:
        self._settled_arrays = arrays
        shadows = [control.shadow for control in self._controls]
        self._until = min((array.next_end for array in (*arrays, *shadows)), default=math.inf)

    def _settle_holdings(self) -> None:
        self._settled_holdings = dict(self._ledger.holdings)
        self.look_ahead(self._clock.wire_time())

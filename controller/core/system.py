"""Systems: what has authority, and in which order it lets go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from controller.core.point import PointId
from controller.core.sample import Sample, Scalar
from controller.core.text import NO_TEXT, Text


class Authority(StrEnum):
    """Who has a system: the site's own controls, or we. commissioning: for a time that ends, people may command it
    through us, and no strategy does; a restart ends it, too."""

    ORIGINAL = "original"
    TIDEWATT = "tidewatt"
    COMMISSIONING = "commissioning"


@dataclass(frozen=True, slots=True)
class Condition:
    """A GOOD sample of `point` that equals `value` and, where `lasting` is set, has done so for that long."""

    point: PointId
    value: Scalar
    lasting: timedelta = timedelta(0)

    def holds(self, sample: Sample) -> bool:
        return sample.is_good and sample.value == self.value


@dataclass(frozen=True, slots=True)
class ReleaseStep:
    """Points let go together, once any of `after` holds (if there are any) and all of `needs` do."""

    points: tuple[PointId, ...]
    after: tuple[Condition, ...] = ()
    needs: tuple[Condition, ...] = ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return (*self.after, *self.needs)


@dataclass(frozen=True, slots=True)
class Permissive:
    """`point` may be started only while `condition` holds; unknown blocks too."""

    point: PointId
    condition: Condition


@dataclass(frozen=True, slots=True)
class HandBack:
    """What people do at the equipment to have a system back without us, and by what they see that it has worked."""

    action: Text
    proof: Text = NO_TEXT


@dataclass(frozen=True, slots=True)
class Member:
    """An on/off command of an exclusion. off: what proves it off; without one, what shows its effect or read-back."""

    point: PointId
    off: Condition | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """At most one of the members may be on."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class AuthorityInput:
    """While `condition` holds, or its point is unknown for longer than `unknown_after`, a system is its original
    controls'; it must have said otherwise for `back_after` before it counts again what people decided."""

    condition: Condition
    unknown_after: timedelta
    back_after: timedelta


@dataclass(frozen=True, slots=True)
class System:
    """A part of the building that is handed over as a whole.

    release: every writable point of the system exactly once, in the order of letting go.
    release_within: time in which letting go must be complete.
    yield_for: how long we leave a point to whoever overrode it.
    original_while: an input that keeps it with its original controls; None where there is none.
    hand_back: what stands of it on the night shift's sheet; None where the site says nothing.
    """

    id: str
    name: Text
    points: tuple[PointId, ...]
    release: tuple[ReleaseStep, ...]
    release_within: timedelta
    yield_for: timedelta = timedelta(minutes=15)
    permissives: tuple[Permissive, ...] = ()
    hand_back: HandBack | None = None
    exclusions: tuple[Exclusion, ...] = ()
    original_while: AuthorityInput | None = None

"""When a program that keeps dying stops taking the plant: three unclean exits within an hour. Pure."""

from __future__ import annotations

from typing import NamedTuple

WITHIN_S = 3600.0
TOO_MANY = 3


class UncleanExits(NamedTuple):
    """ages: seconds that we have run since each exit that nobody asked for.

    Counted is time in which we run: after a power cut the wall clock may be anything, and what never runs for an hour
    is no healthier for having been switched off in between.
    """

    ages: tuple[float, ...] = ()

    def with_another(self) -> UncleanExits:
        return UncleanExits((*self.ages, 0.0))

    def after(self, seconds: float) -> UncleanExits:
        """The same exits after another `seconds` of running; those of more than an hour ago are forgotten."""
        return UncleanExits(tuple(age + seconds for age in self.ages if age + seconds < WITHIN_S))

    @property
    def are_too_many(self) -> bool:
        return len(self.ages) >= TOO_MANY

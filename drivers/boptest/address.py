"""Where a value lives in a BOPTEST test case, and how the server is reached."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final, Self
from urllib.parse import quote, urlsplit

from controller.core.units import Linear

if TYPE_CHECKING:
    from drivers.boptest.running import RunningTest

INPUT_SUFFIX: Final = "_u"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]*(\[[0-9A-Za-z_]+\])?")
_FARTHEST_AHEAD: Final = timedelta(days=7)
_LONGEST_TIMEOUT: Final = timedelta(hours=1)
_YEARS: Final = (1970, 2100)


@dataclass(frozen=True, slots=True)
class BoptestAddress:
    """One of three: a measurement (`..._y`), an input (`..._u`), a forecast and how far ahead.

    The case itself says in which unit it gives a value; it is turned into the point's own.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    measurement: str = ""
    input: str = ""
    forecast: str = ""
    ahead: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise ValueError(problem)

    def _problem(self) -> str:
        named = [name for name in (self.measurement, self.input, self.forecast) if name]
        if len(named) != 1:
            return "a point is a measurement, an input or a forecast; give exactly one of the three"
        if _NAME.fullmatch(named[0]) is None:
            return f"{named[0][:80]!r} is no name of a test case; copy it from its list of inputs and outputs"
        if self.input and not self.input.endswith(INPUT_SUFFIX):
            return f"input {self.input[:80]!r} does not end in {INPUT_SUFFIX}; write it as the case lists it"
        if self.ahead and not self.forecast:
            return "only a forecast looks ahead; leave 'ahead' out"
        if not timedelta(0) <= self.ahead <= _FARTHEST_AHEAD or self.ahead % timedelta(seconds=1):
            return f"ahead {self.ahead.total_seconds():g} s is out of range; give whole seconds, 0 to 7d"
        return ""

    @property
    def name(self) -> str:
        return self.measurement or self.input or self.forecast

    @property
    def can_write(self) -> bool:
        return bool(self.input)

    @property
    def key(self) -> tuple[object, ...]:
        return (self.name, self.ahead)

    def converted(self, conversion: Linear) -> Self:
        """The same: the case knows its unit, whatever limits and ranges of the point are spelt in."""
        del conversion
        return self


@dataclass(frozen=True)
class BoptestConnection:
    """url: of the server. test_case: the case to select where the server has many; left out where it is one itself.

    step: how far the case is brought forward at a time, at most an hour; it is read and decided as often. timeout: how
    long a request may be without an answer; a warm-up of weeks takes minutes. year: the calendar year that the case's
    second 0 begins, with its weekdays.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    url: str
    test_case: str = ""
    step: timedelta = timedelta(minutes=5)
    timeout: timedelta = timedelta(minutes=5)
    year: int = 2009

    def __post_init__(self) -> None:
        problem = _url_problem(self.url) or self._problem()
        if problem:
            raise ValueError(problem)

    def _problem(self) -> str:
        if self.test_case and quote(self.test_case, safe="") != self.test_case:
            return f"test_case {self.test_case[:80]!r} is no name; write one of the server's, like bestest_air"
        if not timedelta(seconds=1) <= self.step <= timedelta(hours=1) or timedelta(hours=1) % self.step:
            return f"step {self.step.total_seconds():g} s does not divide the hour; give 30s, 1min, 5min, 15min or 1h"
        if not timedelta(milliseconds=10) <= self.timeout <= _LONGEST_TIMEOUT:
            return f"timeout {self.timeout.total_seconds():g} s is out of range; give at least 0.01s and at most 1h"
        if not _YEARS[0] <= self.year <= _YEARS[1]:
            return f"year {self.year} is out of range; give {_YEARS[0]} to {_YEARS[1]}"
        return ""

    @cached_property
    def test(self) -> RunningTest:
        """Of the link, however often it is opened: opening it again must not begin the test anew."""
        from drivers.boptest.running import RunningTest  # HTTP and TLS: only who opens a link pays

        return RunningTest(self.test_case)


def _url_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
        has_port_0 = parts.port == 0
    except ValueError:
        return f"url {url[:80]!r} cannot be read; write it as http://10.0.0.20:80"
    if has_port_0 or parts.scheme not in ("http", "https") or not parts.hostname:
        return f"url {url[:80]!r} is no address of a BOPTEST server; write it as http://10.0.0.20:80"
    if parts.username is not None or parts.password is not None:
        return "the url has a user in it; a BOPTEST server asks for none"
    if parts.query or parts.fragment:
        return f"url {url[:80]!r} goes on behind its path; leave out what follows ? or #"
    return ""

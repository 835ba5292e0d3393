"""People on an office floor, as its sensors and its wall switch see them: where somebody sits, who wishes another
brightness, who stays late.

How many are there is that of plant/occupancy.py; that a row is empty only where all its teams are away, and how often
somebody turns the dimmer or stays, are assumptions. Every quarter of an hour and every day draws from its own seeded
generator, so that what is seen at an instant depends on seed and instant only.
"""

from dataclasses import dataclass
from random import Random

from simulator.civil import LocalTime
from simulator.plant.occupancy import building_use

QUARTER_S = 900.0
_TEAMS = 4
"""Of a row, which come and go together."""
_TURNS, _STAYS = 0.3, 0.4
"""Share of the working days on which somebody turns the dimmer, and on which somebody stays."""
_TURNED_FROM_S, _TURNED_UNTIL_S = 9.5 * 3600.0, 16.0 * 3600.0
_WISHES = (0.4, 0.6, 0.8, 1.0)
# Who stays presses the button once the lights have flashed at eight; its relay holds the contact for so long.
_PRESSED_FROM_S, _PRESSED_UNTIL_S = 20.0 * 3600.0 + 60.0, 20.0 * 3600.0 + 180.0


def sits_there(seed: int, row: int, quarter: int, local: LocalTime) -> bool:
    """Whether somebody is in a row. quarter: of hours, since the epoch."""
    people = building_use(local.weekday, int(local.second // 3600.0)).people
    return Random(f"{seed}/office/{row}/{quarter}").random() < 1.0 - (1.0 - people) ** _TEAMS


@dataclass(frozen=True, slots=True)
class _Day:
    """turned_at: when the dimmer is turned, infinite for never [s of the day]; wish: to where. stays: whether somebody
    does, after hours.
    """

    turned_at: float
    wish: float
    stays: bool


class WallSwitch:
    """wish: where the dimmer beside the door stands [0..1]; stay: whether its button is pressed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._day = -1
        self._drawn = _Day(0.0, 1.0, stays=False)
        self.wish = 1.0
        self.stay = False

    def evaluate(self, local: LocalTime) -> None:
        """Instants must not go back."""
        if local.day != self._day:
            self._day, self._drawn = local.day, _drawn(self._seed, local)
        if local.second >= self._drawn.turned_at:
            self.wish = self._drawn.wish
        self.stay = self._drawn.stays and _PRESSED_FROM_S <= local.second < _PRESSED_UNTIL_S


def _drawn(seed: int, local: LocalTime) -> _Day:
    random = Random(f"{seed}/wall switch/{local.day}")
    turns, stays = random.random() < _TURNS, random.random() < _STAYS
    at, wish = random.uniform(_TURNED_FROM_S, _TURNED_UNTIL_S), random.choice(_WISHES)
    is_working_day = local.weekday < 5
    return _Day(at if turns and is_working_day else float("inf"), wish, stays and is_working_day)

"""Charging points for cars: who comes when, what they need, and how they follow the current they are offered.

References
----------
[1] IEC 61851-1:2017, annex A: states A (no vehicle), B (connected), C (charging); the pilot signal offers 6 to 80 A;
    a vehicle may draw no more, and follows a change within 5 s; without pilot it stops.
[2] Z. J. Lee, T. Li, S. H. Low, "ACN-Data: analysis and applications of an open EV charging dataset", ACM e-Energy
    2019: at work, cars arrive in the morning, stay longer than they charge, and taper at the end.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

LEAST_CURRENT = 6.0  # [A] [1]
_HOUR = 3600.0


class Connection(Enum):
    """States of the pilot signal [1]."""

    A = "no vehicle"
    B = "connected"
    C = "charging"


@dataclass(frozen=True, slots=True)
class ChargerModel:
    """voltage between phase and neutral [V], phases, most current offered [A]; rest: of the point itself [kW];
    efficiency: from the socket into the car's battery [0..1].
    """

    voltage: float = 230.0
    phases: int = 3
    current: float = 32.0
    rest: float = 0.005
    efficiency: float = 0.90


class Session(NamedTuple):
    """arrival, departure: seconds of the day; need: energy into the car's battery [kWh]; current that its own charger
    can take [A].
    """

    arrival: float
    departure: float
    need: float
    current: float


class Car(NamedTuple):
    """A car at the socket: charged: energy in its battery since it came [kWh]; current: drawn now [A]."""

    session: Session
    charged: float = 0.0
    current: float = 0.0


class ChargerOutput(NamedTuple):
    """connection; power: mean of the step at the meter [kW]; loss: heat in cable, car and point [kW]."""

    connection: Connection
    power: float
    loss: float


def sessions(generator: random.Random, points: int, *, share: float) -> list[Session | None]:
    """A working day at a number of points, of which a share [0..1] is used; the same generator, the same day.

    Chosen after [2]: arrival about a quarter to nine, stay of about eight hours, need of about 12 kWh; cars that take
    16 or 32 A.

    """
    return [_session(generator) if generator.random() < share else None for _ in range(points)]


def offered(model: ChargerModel, limit: float) -> float:
    """Current that the pilot says [A] for a limit [A]: whole amperes, none below 6 A.  Source: [1]."""
    current = float(int(min(limit, model.current)))
    return current if current >= LEAST_CURRENT else 0.0


def arriving(session: Session | None, second: float) -> Car | None:
    """The car at the socket at a second of the day, as it was when it came."""
    return Car(session) if session and session.arrival <= second < session.departure else None


def step(model: ChargerModel, car: Car | None, limit: float, dt: float) -> tuple[Car | None, ChargerOutput]:
    """The car after dt [s] with a current limit [A] from the site. It follows at once: steps are longer than 5 s, or
    nobody sees the difference. The last tenth of its need it takes at a falling current, never below 6 A [2].
    """
    if car is None:
        return None, ChargerOutput(Connection.A, model.rest, model.rest)
    missing = car.session.need - car.charged
    pilot = offered(model, limit)
    if pilot == 0.0 or missing <= 0.0:
        return car._replace(current=0.0), ChargerOutput(Connection.B, model.rest, model.rest)
    tapered = car.session.current * min(1.0, missing / (0.1 * car.session.need))
    current = min(pilot, car.session.current, max(LEAST_CURRENT, tapered))
    full = current * model.voltage * model.phases / 1000.0
    taken = min(full * model.efficiency * dt / _HOUR, missing)
    drawn = taken / model.efficiency * _HOUR / dt
    after = Car(car.session, car.charged + taken, current)
    return after, ChargerOutput(Connection.C, drawn + model.rest, drawn * (1.0 - model.efficiency) + model.rest)


def unmet(cars: Sequence[Car]) -> float:
    """Energy that cars leave without [kWh]."""
    return sum(max(0.0, car.session.need - car.charged) for car in cars)


def _session(generator: random.Random) -> Session:
    arrival = min(max(generator.gauss(8.75, 0.9), 6.5), 13.0) * _HOUR
    stay = min(max(generator.gauss(8.0, 1.5), 1.0), 12.0) * _HOUR
    need = min(max(generator.gauss(12.0, 6.0), 2.0), 45.0)
    return Session(arrival, min(arrival + stay, 24.0 * _HOUR), need, generator.choice((16.0, 32.0)))

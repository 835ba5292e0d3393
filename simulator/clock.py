"""Real time, and the simulated time that runs beside it. The simulator looks at the machine's clock only here."""

import time
from datetime import UTC, datetime, timedelta


class ScaledClock:
    """Simulated time from a start at a speed [simulated seconds per real second]."""

    def __init__(self, start: datetime, speed: float) -> None:
        if not 0.0 < speed <= 86400.0:
            raise ValueError(f"speed {speed:g} is out of range; expected more than 0 and at most 86400")
        self._start = start.astimezone(UTC)
        self._begin = time.monotonic()
        self.speed = speed

    def wire_now(self) -> float:
        """Real seconds since this clock was made; never jumps."""
        return time.monotonic() - self._begin

    def now(self) -> datetime:
        """Simulated time, aware UTC."""
        return self.at(self.wire_now())

    def at(self, wire: float) -> datetime:
        """Simulated time at a wire time."""
        return self._start + timedelta(seconds=wire * self.speed)

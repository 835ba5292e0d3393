"""Gateways between the supervisor and the machines: remote bits, and the watchdogs that take them back.

Watchdogs run on wire seconds: real seconds, even where the simulated clock runs faster. Reading never refreshes them.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import inf
from typing import Protocol, TypeAlias

Value: TypeAlias = bool | int | float


class Position(StrEnum):
    """Of the selector at a machine. auto: the remote bit decides; local: the original controls have it whatever the bit
    says; hand: it runs; off: it stands.
    """

    AUTO = "auto"
    LOCAL = "local"
    HAND = "hand"
    OFF = "off"


_AUTO = Position.AUTO  # asked for at every step of every machine


class Remote:
    """The supervisor's side of one machine: a remote bit and command registers, and the selector that outranks them.

    While the bit is clear the registers follow what the original controls do, so that setting it changes nothing
    (bumpless); a register written before the bit is set keeps the value written.
    """

    __slots__ = ("_followed", "_values", "_written", "active", "position")

    def __init__(self, *commands: str) -> None:
        self.active = False
        self.position = Position.AUTO
        self._values: dict[str, Value] = dict.fromkeys(commands, False)
        self._written: set[str] = set()
        self._followed: tuple[Value, ...] | None = None  # what the registers have taken, None where that may be undone

    def write(self, command: str, value: Value) -> None:
        self._values[command] = value
        self._written.add(command)
        self._followed = None

    def unwrite(self, command: str) -> None:
        """Nobody commands the register any more; it follows the original controls while the bit is clear."""
        self._written.discard(command)
        self._followed = None

    def value(self, command: str) -> Value:
        """What the register holds."""
        return self._values[command]

    def register(self, command: str) -> Value | None:
        """What was written there and not let go; None for nothing."""
        return self._values[command] if command in self._written else None

    @property
    def commands(self) -> Sequence[str]:
        return tuple(self._values)

    @property
    def written(self) -> Mapping[str, Value]:
        """Registers that were written and not let go, and what they hold."""
        return {command: self._values[command] for command in self._values if command in self._written}

    @property
    def is_followed(self) -> bool:
        """Whether the machine does what the registers say."""
        return self.active and self.position is _AUTO

    def switched(self, command: str, original: bool) -> bool:
        """Whether the machine is to be on; original: what its original controls want."""
        if self.position is _AUTO:
            return bool(self._values[command]) if self.active else original
        return original if self.position is Position.LOCAL else self.position is Position.HAND

    def level(self, command: str, original: float) -> float:
        """The share [0..1] that the machine is to give; in hand all of it."""
        if self.position is _AUTO:
            return float(self._values[command]) if self.active else original
        return original if self.position is Position.LOCAL else float(self.position is Position.HAND)

    def follow(self, *present: Value) -> None:
        """Take what the original controls do now, in the order of the commands; not while the bit is set."""
        if self.active or present == self._followed:
            return
        for command, value in zip(self._values, present, strict=True):
            if command not in self._written:
                self._values[command] = value
        self._followed = present

    def forget(self) -> None:
        """What the registers held is lost; with the remote bit clear they follow the original controls again."""
        self._values = dict.fromkeys(self._values, False)
        self.give_back()

    def give_back(self) -> None:
        """Clear the remote bit; the original controls act on the registers no longer."""
        self.active = False
        self._written.clear()
        self._followed = None


class Gateway(Protocol):
    """What takes remote bits back when the supervisor falls silent."""

    def deadline(self) -> float:
        """Wire time at which remote bits clear unless the supervisor shows life; infinite where none is set."""
        ...

    def expire(self, wire_now: float) -> None:
        """Clear the remote bits whose time is over."""
        ...

    def take(self, remote: Remote, wire_now: float) -> None:
        """The supervisor writes true to a remote bit."""
        ...


class HeartbeatGateway:
    """All remote bits clear when the heartbeat register has not *changed* for longer than the watchdog time [s]."""

    def __init__(self, watchdog_s: float, *remotes: Remote) -> None:
        self._watchdog_s = watchdog_s
        self._remotes = remotes
        self._changed_at = -inf
        self.heartbeat = 0

    def forget(self) -> None:
        """The heartbeat register is lost with the others; that is no beat."""
        self.heartbeat = 0

    def beat(self, value: int, wire_now: float) -> None:
        if value != self.heartbeat:
            self.heartbeat = value
            self._changed_at = wire_now

    def take(self, remote: Remote, wire_now: float) -> None:
        """The first remote bit opens one watchdog period, so that bit and heartbeat may come in either order."""
        if not any(each.active for each in self._remotes):
            self._changed_at = max(self._changed_at, wire_now)
        remote.active = True

    def deadline(self) -> float:
        return self._changed_at + self._watchdog_s if any(each.active for each in self._remotes) else inf

    def expire(self, wire_now: float) -> None:
        if self.deadline() <= wire_now:
            for remote in self._remotes:
                remote.give_back()


class TimeoutGateway:
    """Each remote bit clears when it has not been written true again within the time-out [s]: a lease for each
    output.
    """

    def __init__(self, timeout_s: float, *remotes: Remote) -> None:
        self._timeout_s = timeout_s
        self._refreshed: dict[Remote, float] = dict.fromkeys(remotes, -inf)

    def take(self, remote: Remote, wire_now: float) -> None:
        self._refreshed[remote] = wire_now
        remote.active = True

    def deadline(self) -> float:
        return min((at + self._timeout_s for remote, at in self._refreshed.items() if remote.active), default=inf)

    def expire(self, wire_now: float) -> None:
        for remote, at in self._refreshed.items():
            if remote.active and at + self._timeout_s <= wire_now:
                remote.give_back()

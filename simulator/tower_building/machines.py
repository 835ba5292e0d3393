"""The tower building's machines as a supervisor reaches them: registers, remote bits, selectors, and whose word holds.

Each machine that can be commanded has a remote bit. While it is set, registers that were written hold; a register that
nobody has written stays with the old controls. The cooling plant stands behind one gateway, which clears all of its
remote bits when its heartbeat stands still; everything else clears its own unless it is written true again.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from simulator.gateway import Gateway, HeartbeatGateway, Position, Remote, TimeoutGateway, Value
from simulator.tags import Tag

PLANT_GATEWAY = "plant.gateway_1"
HEARTBEAT = f"{PLANT_GATEWAY}.heartbeat"
WATCHDOG_S = 60.0
"""[s] of the wire: of the plant's heartbeat, and of every other remote bit."""

_REMOTE = "remote"
_SWITCHES: Mapping[str, tuple[Value, Value]] = MappingProxyType(
    {
        "enable_command": (False, True),
        "command": (False, True),
        "supply_fan_command": (False, True),
        "fan_speed_command": (0.0, 1.0),
        "brightness_command": (0.0, 1.0),
    }
)
"""Commands that turn a machine off and on; who has one has a selector."""
_FEEDS: Mapping[str, Value] = MappingProxyType({"current_limit": 0.0, "power_command": 0.0})
"""Commands that let power through, as they are where there is none."""


def commands_of(tags: Mapping[str, Tag]) -> dict[str, tuple[str, ...]]:
    """Quantities that can be commanded, by machine."""
    found: dict[str, tuple[str, ...]] = {}
    for name, tag in tags.items():
        machine, _, quantity = name.rpartition(".")
        if tag.writable and quantity != _REMOTE and name != HEARTBEAT:
            found[machine] = (*found.get(machine, ()), quantity)
    return found


def has_selector(commands: Iterable[str]) -> bool:
    return any(command in _SWITCHES for command in commands)


class Machine:
    """What one machine's registers, remote bit and selector ask of it, and whether it can run at all."""

    def __init__(self, commands: tuple[str, ...]) -> None:
        self.remote = Remote(*commands)
        self.has_tripped = self.has_no_supply = False
        self._switch = next((each for each in commands if each in _SWITCHES), "")
        self._off = {each: _SWITCHES[each][0] for each in commands if each in _SWITCHES}
        self._off |= {each: _FEEDS[each] for each in commands if each in _FEEDS}

    def wanted(self) -> Mapping[str, Value]:
        """By command: what holds in the old controls' place."""
        if self.has_tripped or self.has_no_supply:
            return self._off
        match self.remote.position:
            case Position.HAND | Position.OFF if self._switch:
                off, on = _SWITCHES[self._switch]
                return {self._switch: on if self.remote.position is Position.HAND else off}
            case Position.AUTO if self.remote.active:
                return self.remote.written
            case _:
                return {}


class Machines:
    """All that the tags have, by name, with the gateways before them. deadline: wire time at which a watchdog runs
    out.
    """

    def __init__(self, tags: Mapping[str, Tag]) -> None:
        self.by_name = {name: Machine(commands) for name, commands in commands_of(tags).items()}
        remotes = {name: machine.remote for name, machine in self.by_name.items()}
        self._plant = HeartbeatGateway(WATCHDOG_S, *[remotes[name] for name in remotes if _is_of_plant(name)])
        self._others = TimeoutGateway(WATCHDOG_S, *[remotes[name] for name in remotes if not _is_of_plant(name)])
        self._gateways: tuple[Gateway, ...] = (self._plant, self._others)
        self._held: dict[str, Value] = {}
        self._touched: dict[str, None] = {}
        self._look()

    def reading(self, tag: str) -> Callable[[], Value]:
        """How to read a heartbeat, a remote bit, a selector's contact or a motor protection again and again."""
        if tag == HEARTBEAT:
            return lambda: self._plant.heartbeat
        name, _, quantity = tag.rpartition(".")
        machine = self.by_name[name]
        match quantity:
            case "remote":
                return lambda: machine.remote.active
            case "auto_status":
                return lambda: machine.remote.position is Position.AUTO
            case "local":
                return lambda: machine.remote.position is not Position.AUTO
            case "tripped":
                return lambda: machine.has_tripped
            case _:
                raise KeyError(tag)

    # --- what is written

    def beat(self, value: int, wire_now: float) -> None:
        self._plant.beat(value, wire_now)
        self._look()

    def write(self, machine: str, command: str, value: Value) -> None:
        self.by_name[machine].remote.write(command, value)
        self.touch(machine)

    def unwrite(self, machine: str, command: str) -> None:
        """Nobody commands the register any more."""
        self.by_name[machine].remote.unwrite(command)
        self.touch(machine)

    def set_remote(self, machine: str, is_set: bool, wire_now: float) -> None:
        remote = self.by_name[machine].remote
        if is_set:
            (self._plant if _is_of_plant(machine) else self._others).take(remote, wire_now)
        else:
            remote.give_back()
        self.touch(machine)
        self._look()

    # --- what takes it back

    def expire(self, wire_now: float) -> None:
        for gateway in self._gateways:
            gateway.expire(wire_now)
        self.touch(*self.by_name)
        self._look()

    def forget(self, names: Iterable[str]) -> None:
        """These have started anew: remote bits and registers are as after power-on."""
        for name in names:
            if name in self.by_name:
                self.by_name[name].remote.forget()
                self.touch(name)
            elif name == PLANT_GATEWAY:
                self._plant.forget()
        self._look()

    def supply(self, *, has_mains: bool) -> None:
        for machine in self.by_name.values():
            machine.has_no_supply = not has_mains
        self.touch(*self.by_name)

    # --- what comes of it

    def touch(self, *names: str) -> None:
        """What these want may be another by now."""
        self._touched |= dict.fromkeys(names)

    def changes(self) -> dict[str, Value | None]:
        """By tag: what holds from now on in the old controls' place, None where they have it again."""
        found: dict[str, Value | None] = {}
        for name in self._touched:
            machine = self.by_name[name]
            wanted = machine.wanted()
            for command in machine.remote.commands:
                tag, value = f"{name}.{command}", wanted.get(command)
                if value != self._held.get(tag):
                    found[tag] = value
        self._touched = {}
        for tag, value in found.items():
            if value is None:
                del self._held[tag]
            else:
                self._held[tag] = value
        return found

    def _look(self) -> None:
        self.deadline = min([gateway.deadline() for gateway in self._gateways])


def _is_of_plant(machine: str) -> bool:
    return machine.startswith("plant.")

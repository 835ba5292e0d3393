"""tidewatt lockout SITE [EQUIPMENT]: keep Tidewatt's hands off a machine while somebody works on it."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli import words
from controller.cli.arguments import Exit, add_command, add_json, add_site, language
from controller.cli.client import DaemonNotRunning, ask
from controller.cli.event_stream import note_without_daemon
from controller.cli.output import complain, print_json, say
from controller.cli.site_folder import load_site
from controller.core.availability import Lockout
from controller.core.errors import EnvironmentProblem
from controller.core.event import Event, EventKind, JsonValue
from controller.core.point import equipment_of
from controller.core.site import Site
from controller.core.text import Text
from controller.runtime.availability import AvailabilityRefused, lock_to_remove, removal
from controller.runtime.availability_status import lockout as lockout_shown
from controller.runtime.clock import RealClock
from controller.runtime.site_lock import site_lock
from controller.runtime.store import Store

_NOTHING = Text("nothing is locked out", "无锁定设备")
_SINCE = Text("locked out by {} since {}: {}", "由 {} 锁定，自 {} 起：{}")
_LOCKED = Text(
    "{} is locked out: nobody commands it through Tidewatt until {} takes the lock off",
    "{} 已锁定：在 {} 解除之前，任何人都不能通过 Tidewatt 控制",
)
_REMOVED = Text("{}: the lock of {} is off", "{}：{} 的锁定已解除")
_STILL_LOCKED = Text("{}: it is still locked by {}", "{}：仍由 {} 锁定")
_NOT_ISOLATED = Text(
    "this isolates nothing: the machine's own controls may start it; lock its supply as well",
    "此操作并不切断电源：设备自身的控制仍可能启动；请同时对供电上锁",
)
_HELD = Text(
    "no daemon runs, and it may still do what Tidewatt told it last; first: {} release {}",
    "守护进程未运行，设备可能仍保持 Tidewatt 的最后命令；请先执行：{} release {}",
)


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "lockout",
        "lock a machine out while somebody works on it, take the lock off, or list what is not in auto",
        "tidewatt lockout config/sites/demo plant.chiller_1 --who Li --reason 'tubes are being cleaned'",
    )
    add_site(parser)
    parser.add_argument("equipment", nargs="?", metavar="EQUIPMENT", help="like plant.chiller_1")
    parser.add_argument("--who", default="", help="your name; a lock belongs to somebody")
    parser.add_argument("--reason", default="", help="why; required to lock, and to take off another's lock")
    parser.add_argument("--remove", action="store_true", help="take your lock off")
    parser.add_argument("--of", default="", metavar="NAME", help="with --remove: take off the lock of somebody else")
    add_json(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    changes = arguments.remove or arguments.who or arguments.reason
    if changes and not arguments.equipment:
        raise EnvironmentProblem("say which equipment, like plant.chiller_1")
    if changes and not arguments.who:
        raise EnvironmentProblem("a lock belongs to somebody: --who NAME")
    if arguments.who and not arguments.remove and not arguments.reason:
        raise EnvironmentProblem("say why it is locked out: --reason TEXT; to take a lock off: --remove")
    if not changes:
        return _list(arguments)
    return _remove(arguments) if arguments.remove else _lock(arguments)


def _list(arguments: argparse.Namespace) -> int:
    try:
        shown = ask(arguments.site, "lockouts")
    except DaemonNotRunning:
        shown = asyncio.run(_stored(load_site(arguments.site)))
    if arguments.equipment and not any(each["equipment"] == arguments.equipment for each in shown["lockouts"]):
        _require_known(load_site(arguments.site), arguments.equipment)
    for name in ("lockouts", "unavailable"):
        shown[name] = [each for each in shown[name] if arguments.equipment in (None, each["equipment"])]
    if arguments.json:
        print_json(shown)
        return Exit.OK
    locks, others = shown["lockouts"], shown["unavailable"]
    zone, chosen = ZoneInfo(shown["time_zone"]), language()
    if not locks:
        say(_NOTHING.in_language(chosen))
    for each in locks:
        since = f"{datetime.fromisoformat(each['since']).astimezone(zone):%Y-%m-%d %H:%M}"
        say(f"{each['equipment']:<34} {_SINCE.in_language(chosen).format(each['who'], since, each['reason'])}")
    for each in others:
        if each["availability"] != "locked_out":
            state = words.padded(words.term(each["availability"], chosen), 15)
            say(f"{each['equipment']:<34} {state} {each['reason'][chosen]}")
    return Exit.OK


def _lock(arguments: argparse.Namespace) -> int:
    equipment, who, reason = arguments.equipment, arguments.who, arguments.reason
    try:
        locked = ask(arguments.site, "lock_out", equipment=equipment, who=who, reason=reason)
        is_held = False
    except DaemonNotRunning:
        locked, is_held = asyncio.run(_lock_in_store(load_site(arguments.site), equipment, who, reason))
    if arguments.json:
        print_json(locked)
        return Exit.OK
    chosen = language()
    say(_LOCKED.in_language(chosen).format(equipment, who))
    say(_NOT_ISOLATED.in_language(chosen))
    if is_held:
        complain(_HELD.in_language(chosen).format(words.program(), arguments.site))
    return Exit.OK


def _remove(arguments: argparse.Namespace) -> int:
    equipment, who, whose, reason = arguments.equipment, arguments.who, arguments.of, arguments.reason
    try:
        removed = ask(arguments.site, "unlock", equipment=equipment, who=who, of=whose, reason=reason)
        left = [each for each in ask(arguments.site, "lockouts")["lockouts"] if each["equipment"] == equipment]
    except DaemonNotRunning:
        removed, left = asyncio.run(_remove_from_store(load_site(arguments.site), equipment, who, whose, reason))
    if arguments.json:
        print_json({**removed, "still_locked_by": [each["who"] for each in left]})
        return Exit.OK
    chosen = language()
    say(_REMOVED.in_language(chosen).format(equipment, removed["who"]))
    for each in left:
        say(_STILL_LOCKED.in_language(chosen).format(equipment, each["who"]))
    return Exit.OK


def _require_known(site: Site, equipment: str) -> None:
    known = {*site.equipment, *(point.equipment for point in site.points.values())}
    if equipment not in known:
        raise EnvironmentProblem(f"there is no equipment {equipment!r}; there are {', '.join(sorted(known))}")


# --- with no daemon running -------------------------------------------------------------------------------------------


async def _stored(site: Site) -> dict[str, Any]:
    with site_lock(site.folder / "state"):
        store = Store(site.folder / "state" / "store.db", RealClock())
        try:
            locks = await store.load_lockouts()
        finally:
            await store.close()
    by_site = [
        {"equipment": equipment, "availability": "out_of_service", "reason": {"en": why, "zh": why}}
        for equipment, why in site.out_of_service.items()
    ]
    return {"time_zone": str(site.zone), "lockouts": [lockout_shown(each) for each in locks], "unavailable": by_site}


async def _lock_in_store(site: Site, equipment: str, who: str, reason: str) -> tuple[dict[str, Any], bool]:
    """The lock, and whether an earlier run may have left the machine as it commanded it."""
    _require_known(site, equipment)
    clock = RealClock()
    with site_lock(site.folder / "state"):
        store = Store(site.folder / "state" / "store.db", clock)
        try:
            lockout = Lockout(equipment, who, reason, clock.now())
            await store.save_lockout(lockout)
            held = await store.load_held()
        finally:
            await store.close()
        body: dict[str, JsonValue] = {"step": "locked out", "who": who, "why": reason}
        await note_without_daemon(site, clock, [Event(clock.now(), EventKind.AVAILABILITY, equipment, body)])
    return lockout_shown(lockout), any(equipment_of(each.point) == equipment for each in held)


async def _remove_from_store(
    site: Site, equipment: str, who: str, whose: str, reason: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The lock that is off, and those that are left on the machine."""
    clock = RealClock()
    with site_lock(site.folder / "state"):
        store = Store(site.folder / "state" / "store.db", clock)
        try:
            locks = await store.load_lockouts()
            try:
                lockout = lock_to_remove(locks, equipment, who, whose, reason)
            except AvailabilityRefused as error:
                raise EnvironmentProblem(str(error)) from error
            await store.forget_lockout(equipment, lockout.who)
        finally:
            await store.close()
        event = Event(clock.now(), EventKind.AVAILABILITY, equipment, removal(lockout, who, reason))
        await note_without_daemon(site, clock, [event])
    left = [lockout_shown(each) for each in locks if each.equipment == equipment and each != lockout]
    return lockout_shown(lockout), left

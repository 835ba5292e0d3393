"""tidewatt authority SITE [SYSTEM original|tidewatt|--schedule]: who has which system; the one-action switch."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from controller.cli.arguments import Exit, add_command, add_for, add_json, add_site, add_who, language, who_of
from controller.cli.client import DaemonNotRunning, RequestRefused, ask
from controller.cli.event_stream import note_without_daemon
from controller.cli.output import print_json, say
from controller.cli.site_folder import load_site
from controller.cli.words import program
from controller.core.errors import EnvironmentProblem
from controller.core.event import Event, EventKind, JsonValue
from controller.core.site import Site
from controller.core.system import Authority
from controller.core.text import Text
from controller.runtime import exit_latch
from controller.runtime.ab_days_kept import (
    has_begun,
    is_on_schedule,
    not_on_schedule,
    store_suspension,
    stored_suspensions,
    suspended_in_words,
)
from controller.runtime.authorities import store_decision
from controller.runtime.clock import RealClock
from controller.runtime.commissioning import Commissioning
from controller.runtime.daemon import OUR_EXITS
from controller.runtime.site_lock import site_lock
from controller.runtime.store import Store

_KEPT = Text("kept there by {}: {}", "由 {} 保持：{}")


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "authority",
        "show or switch who has a system: its original controls, Tidewatt, or people who test it",
        "tidewatt authority config/sites/demo garage original",
    )
    add_site(parser)
    parser.add_argument("system", nargs="?", metavar="SYSTEM", help="a system's id, or all")
    parser.add_argument("authority", nargs="?", choices=[each.value for each in Authority])
    parser.add_argument(
        "--schedule",
        action="store_true",
        help="give the system to its A/B days again, after somebody's decision has suspended them",
    )
    add_for(parser, "when commissioning ends: 2h; it is required there and nowhere else")
    parser.add_argument(
        "--reset",
        action="store_true",
        help="after three unclean exits within an hour: it has been looked into, systems may be handed over again",
    )
    add_who(parser)
    add_json(parser)
    parser.set_defaults(execute=execute, refuse=parser.error)


def execute(arguments: argparse.Namespace) -> int:
    if arguments.schedule and (arguments.authority or not arguments.system):
        raise EnvironmentProblem(
            f"--schedule gives a system to its A/B days: {program()} authority {arguments.site} SYSTEM --schedule"
        )
    if arguments.system and not arguments.authority and not arguments.schedule:
        raise EnvironmentProblem(
            f"say who shall have {arguments.system}: original or tidewatt;"
            f" to see who has it: {program()} authority {arguments.site}"
        )
    if arguments.lasting is not None and arguments.authority != Authority.COMMISSIONING.value:
        arguments.refuse("only commissioning has an end; leave out --for")
    try:
        shown = _of_daemon(arguments)
        vetoes, schedules = _of_status(arguments)
    except DaemonNotRunning:
        shown, vetoes, schedules = asyncio.run(_of_store(load_site(arguments.site), arguments))
    if arguments.json:
        print_json(shown)
        return Exit.OK
    for system, authority in shown.items():
        say(f"{system:<20} {authority}")
        for source, reason in vetoes.get(system, {}).items():
            say("  " + _KEPT.in_language(language()).format(source, reason.in_language(language())))
        if system in schedules:
            say(f"  {schedules[system].in_language(language())}")
    return Exit.OK


def _of_status(arguments: argparse.Namespace) -> tuple[dict[str, dict[str, Text]], dict[str, Text]]:
    """Vetoes by system and source; what the A/B days say of each system that is on them."""
    systems = ask(arguments.site, "status")["systems"]
    vetoes = {each["id"]: {veto["source"]: Text(veto["en"], veto["zh"]) for veto in each["vetoes"]} for each in systems}
    said = {each["id"]: each["ab_days"] for each in systems}
    return vetoes, {id_: Text(each["en"], each["zh"]) for id_, each in said.items() if each is not None}


def _of_daemon(arguments: argparse.Namespace) -> dict[str, str]:
    who = who_of(arguments)
    if arguments.reset:
        ask(arguments.site, "reset_latch", who=who)
    status = ask(arguments.site, "status")
    shown = {each["id"]: each["authority"] for each in status["systems"]}
    if arguments.system is None:
        return shown
    for_s = None if arguments.lasting is None else arguments.lasting.total_seconds()
    refused: list[str] = []
    for system in _chosen(arguments.system, list(shown)):
        try:
            if arguments.schedule:
                shown = ask(arguments.site, "resume_ab_days", system=system, who=who)
            else:
                wished = arguments.authority
                shown = ask(arguments.site, "authority", system=system, authority=wished, who=who, for_s=for_s)
        except DaemonNotRunning:
            raise
        except (RequestRefused, EnvironmentProblem) as error:
            refused.append(str(error))
    if refused:
        raise EnvironmentProblem("\n".join(refused))
    return shown


async def _of_store(
    site: Site, arguments: argparse.Namespace
) -> tuple[dict[str, str], dict[str, dict[str, Text]], dict[str, Text]]:
    """With no daemon running: what the next start will find."""
    refused: list[str] = []
    events: list[Event] = []
    clock, who = RealClock(), who_of(arguments)
    commissioning = Commissioning(site)
    ids = [each.id for each in site.systems]
    with site_lock(site.folder / "state"):
        store = Store(site.folder / "state" / "store.db", clock)
        try:
            if arguments.reset:
                await exit_latch.reset(store)
                events.append(Event(clock.now(), EventKind.AUTHORITY, site.name, {"step": "latch reset", "who": who}))
            is_latched = await exit_latch.is_latched(store)
            if arguments.system is not None:
                wished = Authority.TIDEWATT if arguments.schedule else Authority(arguments.authority)
                before = await store.load_authority()
                for each in _chosen(arguments.system, ids):
                    why_not = _why_not(commissioning, each, wished, is_latched=is_latched)
                    if arguments.schedule and not is_on_schedule(site, each):
                        refused.append(not_on_schedule(each))
                    elif why_not:
                        refused.append(why_not)
                    else:
                        await store_decision(store, each, wished)
                        was = before.get(each, site.first_authority)
                        body: dict[str, JsonValue] = {"before": was.value, "authority": wished.value, "who": who}
                        events.append(Event(clock.now(), EventKind.AUTHORITY, each, body))
                        if arguments.schedule:
                            await store_suspension(site, store, each, None)
                        elif has_begun(site, clock.now()):
                            await store_suspension(site, store, each, who)
            suspended = await stored_suspensions(site, store)
            stored = await store.load_authority()
        finally:
            await store.close()
            await note_without_daemon(site, clock, events)
    if refused:
        raise EnvironmentProblem("\n".join(refused))
    decided = {each: stored.get(each, site.first_authority) for each in ids}
    shown = {
        each: (Authority.ORIGINAL if _why_not(commissioning, each, authority, is_latched=is_latched) else authority)
        for each, authority in decided.items()
    }
    vetoes = {each: {OUR_EXITS: exit_latch.WHY} for each in ids} if is_latched else {}
    schedules = {each: suspended_in_words(by) for each, by in suspended.items()}
    return {each: authority.value for each, authority in shown.items()}, vetoes, schedules


def _why_not(commissioning: Commissioning, system: str, authority: Authority, *, is_latched: bool) -> str:
    """What the next start would refuse is refused at once; what may still prove to be a simulator is not."""
    if is_latched and authority is not Authority.ORIGINAL:
        return f"system {system} stays with its original controls: {exit_latch.WHY.en}"
    if authority is Authority.COMMISSIONING:
        return "people command a system through the daemon; start it, then begin commissioning"
    if authority is Authority.ORIGINAL or commissioning.may_prove(system):
        return ""
    return commissioning.why_not(system)


def _chosen(system: str, systems: list[str]) -> list[str]:
    if system == "all":
        return systems
    if system not in systems:
        raise EnvironmentProblem(f"there is no system {system}; there are {', '.join(systems)}")
    return [system]

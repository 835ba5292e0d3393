"""tidewatt alarms SITE [list|acknowledge|shelve|...|silence]: what is wrong and what to do."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli import words
from controller.cli.arguments import Exit, add_command, add_for, add_json, add_site, add_who, language, who_of
from controller.cli.client import ask
from controller.cli.output import complain, print_json, say
from controller.core.errors import EnvironmentProblem
from controller.core.text import Language, Text

_EXAMPLE = "tidewatt alarms config/sites/demo"
_NONE = Text("no alarms", "无报警")
_COUNTED = Text("{} active, {} not acknowledged, {} shelved", "{} 个激活，{} 个未确认，{} 个搁置")
_VALUE = Text("value {} (when it was raised: {})", "当前值 {}（报警时：{}）")
_BY = Text("by {}", "操作者 {}")
_SOUNDS = Text(
    "{} sounds; to silence it: tidewatt alarms SITE silence", "{} 正在鸣响；消音：tidewatt alarms SITE silence"
)
_ORDER = Text("work order {}  {}  {}, {}: {}", "工单 {}  {}  {}，{}：{}")
_CLOSED = Text("; closed {}, {}: {}", "；{} 关闭，{}：{}")
_IS_OPEN = Text("work order {} opened: {}", "工单 {} 已开立：{}")
_IS_CLOSED = Text("work order {} closed: {}", "工单 {} 已关闭：{}")
_BECAUSE = Text("suppressed: {}", "抑制原因：{}")
_UNDELIVERED = Text("messages of {}: {}; {} waiting, {} dropped", "{} 的消息：{}；待发 {}，丢弃 {}")
_LEFT = Text("for another {}", "剩余 {}")


def register(commands: Any) -> None:
    parser = add_command(commands, "alarms", "what is wrong, since when, and what to do about it", _EXAMPLE)
    add_site(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    add_json(parser)
    parser.set_defaults(execute=_list, everything=False)
    _register_list(actions)
    _register_action(actions, "acknowledge", "say that you have seen it; ID may be all", _acknowledge)
    shelve = _register_action(actions, "shelve", "keep an alarm from view for a time", _shelve)
    add_for(shelve, "how long: 30min, 2h; required")
    _register_action(actions, "unshelve", "show a shelved alarm again", _unshelve)
    _register_action(actions, "out-of-service", "keep an alarm from view during maintenance", _out_of_service)
    _register_silence(actions)
    _register_order(actions)
    _register_close(actions)
    _register_action(actions, "into-service", "show it again after maintenance", _into_service)


def _register_list(actions: Any) -> None:
    parser = add_command(actions, "list", "show the alarms, most urgent first", f"{_EXAMPLE} list --all")
    parser.add_argument("--all", dest="everything", action="store_true", help="with normal and suppressed ones")
    add_json(parser)
    parser.set_defaults(execute=_list)


def _register_silence(actions: Any) -> None:
    summary = "silence the siren until another alarm comes; acknowledges nothing"
    parser = add_command(actions, "silence", summary, f"{_EXAMPLE} silence")
    add_who(parser)
    add_json(parser)
    parser.set_defaults(execute=_silence, alarm=None)


def _register_order(actions: Any) -> None:
    how = "order plant.chiller_1.enable_command:ignored --text 'Wang: look at the contactor'"
    parser = add_command(actions, "order", "open a work order for an alarm", f"{_EXAMPLE} {how}")
    parser.add_argument("alarm", metavar="ID", help="as the list shows it")
    parser.add_argument("--text", required=True, help="what is to be done, and by whom")
    add_who(parser)
    add_json(parser)
    parser.set_defaults(execute=_order)


def _register_close(actions: Any) -> None:
    parser = add_command(actions, "close", "close a work order", f"{_EXAMPLE} close 12 --text 'contactor replaced'")
    parser.add_argument("alarm", metavar="ID", help="the alarm's, or the number of the order")
    parser.add_argument("--text", required=True, help="what was done")
    parser.add_argument("--even-so", default="", metavar="REASON", help="why, although the alarm is still active")
    add_who(parser)
    add_json(parser)
    parser.set_defaults(execute=_close)


def _register_action(actions: Any, name: str, summary: str, execute: Any) -> argparse.ArgumentParser:
    needs_reason = name in ("shelve", "out-of-service")
    how = {"shelve": " --for 2h --reason 'being serviced'", "out-of-service": " --reason 'being rebuilt'"}.get(name, "")
    parser = add_command(actions, name, summary, f"{_EXAMPLE} {name} plant.chiller_1.enable_command:ignored{how}")
    parser.add_argument("alarm", metavar="ID", help="as the list shows it")
    add_who(parser)
    if needs_reason:
        parser.add_argument("--reason", default="", help="why; required")
    add_json(parser)
    parser.set_defaults(execute=execute)
    return parser


def _list(arguments: argparse.Namespace) -> int:
    shown = ask(arguments.site, "alarms", everything=arguments.everything)
    if arguments.json:
        print_json(shown)
        return Exit.OK
    chosen = language()
    counts = shown["counts"]
    for outbox in shown["messages"]:
        if outbox["trouble"] or outbox["dropped"]:
            told_of = (outbox[name] for name in ("route", "trouble", "waiting", "dropped"))
            complain(_UNDELIVERED.in_language(chosen).format(*told_of))
    if shown["siren"] is not None and shown["siren"]["sounds"]:
        say(_SOUNDS.in_language(chosen).format(shown["siren"]["point"]))
        say("")
    if not shown["alarms"] and not shown["work_orders"]:
        say(_NONE.in_language(chosen))
        return Exit.OK
    zone, now = ZoneInfo(shown["time_zone"]), datetime.fromisoformat(shown["now"])
    for each in shown["alarms"]:
        for line in told(each, zone, now, chosen):
            say(line)
    for each in shown["work_orders"]:
        say(told_order(each, zone, now, chosen))
    if shown["work_orders"]:
        say("")
    say(_COUNTED.in_language(chosen).format(counts["active"], counts["unacknowledged"], counts["shelved"]))
    return Exit.OK


def told(alarm: Mapping[str, Any], zone: ZoneInfo, now: datetime, chosen: Language) -> list[str]:
    """The lines of one alarm: what, since when, why, what to do, and how it is called in commands."""
    raised = words.moment(alarm["raised"], zone, now)
    head = "  ".join(
        (
            words.padded(words.term(alarm["priority"], chosen), 6),
            words.padded(words.term(alarm["state"], chosen), 14),
            words.padded(raised, 8),
            alarm["id"],
        )
    )
    lines = [head, *(f"        {line}" for line in _details(alarm, chosen) if line)]
    return [*lines, ""]


def told_order(order: Mapping[str, Any], zone: ZoneInfo, now: datetime, chosen: Language) -> str:
    """One line: number, since when, for which alarm, what is to be done, and by whose word it is closed."""
    opened = words.moment(order["opened"], zone, now)
    line = _ORDER.in_language(chosen).format(order["number"], opened, order["alarm"], order["opened_by"], order["text"])
    if order["closed"] is None:
        return line
    closed = words.moment(order["closed"], zone, now)
    return line + _CLOSED.in_language(chosen).format(closed, order["closed_by"], order["done"])


def _details(alarm: Mapping[str, Any], chosen: Language) -> list[str]:
    wrong, cause = alarm["wrong"][chosen], alarm["cause"][chosen]
    joint = "：" if chosen == "zh" else ": "
    matter = joint.join(dict.fromkeys(part for part in (wrong, cause) if part))
    return [
        matter or words.term(alarm["alarm"], chosen),
        _value(alarm, chosen),
        f"→ {alarm['advice'][chosen]}" if alarm["advice"][chosen] else "",
        _explanation(alarm, chosen),
        _person(alarm, chosen),
    ]


def _value(alarm: Mapping[str, Any], chosen: Language) -> str:
    if alarm["unit"] is None:
        return ""
    now, then = (words.value(alarm[name], alarm["unit"], chosen) for name in ("value", "value_then"))
    return _VALUE.in_language(chosen).format(now, then)


def _explanation(alarm: Mapping[str, Any], chosen: Language) -> str:
    by = alarm["suppressed_by"]
    return "" if by is None else _BECAUSE.in_language(chosen).format(by[chosen])


def _person(alarm: Mapping[str, Any], chosen: Language) -> str:
    if not alarm["who"]:
        return ""
    said = [_BY.in_language(chosen).format(alarm["who"])]
    if alarm["why"]:
        said.append(alarm["why"])
    if alarm["shelved_for_s"] is not None:
        said.append(_LEFT.in_language(chosen).format(words.lasting(alarm["shelved_for_s"])))
    return ("，" if chosen == "zh" else ", ").join(said)


# --- what people do ---------------------------------------------------------------------------------------------------


def _acknowledge(arguments: argparse.Namespace) -> int:
    return _act(arguments, "acknowledge")


def _shelve(arguments: argparse.Namespace) -> int:
    if arguments.lasting is None:
        raise EnvironmentProblem("nobody shelves an alarm for ever: say how long, such as --for 2h")
    return _act(arguments, "shelve", for_s=arguments.lasting.total_seconds(), reason=arguments.reason)


def _unshelve(arguments: argparse.Namespace) -> int:
    return _act(arguments, "unshelve")


def _out_of_service(arguments: argparse.Namespace) -> int:
    return _act(arguments, "out_of_service", reason=arguments.reason)


def _into_service(arguments: argparse.Namespace) -> int:
    return _act(arguments, "into_service")


def _order(arguments: argparse.Namespace) -> int:
    return _show_order(arguments, "order", text=arguments.text)


def _close(arguments: argparse.Namespace) -> int:
    return _show_order(arguments, "close_order", text=arguments.text, even_so=arguments.even_so)


def _show_order(arguments: argparse.Namespace, command: str, **request: Any) -> int:
    who = who_of(arguments)
    order = ask(arguments.site, command, alarm=arguments.alarm, who=who, **request)
    if arguments.json:
        print_json(order)
        return Exit.OK
    step = _IS_OPEN if order["closed"] is None else _IS_CLOSED
    say(step.in_language(language()).format(order["number"], order["alarm"]))
    return Exit.OK


def _silence(arguments: argparse.Namespace) -> int:
    return _act(arguments, "silence_siren")


def _act(arguments: argparse.Namespace, command: str, **request: Any) -> int:
    who = who_of(arguments)
    changed = ask(arguments.site, command, alarm=arguments.alarm, who=who, **request)
    if arguments.json:
        print_json(changed)
        return Exit.OK
    for each in changed:
        say(f"{each['id']}: {words.term(each['state'], language())}")
    if not changed:
        say(_NONE.in_language(language()))
    return Exit.OK

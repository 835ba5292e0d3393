"""tidewatt reload SITE: the changed files are checked and taken by the running daemon, or refused."""

from __future__ import annotations

import argparse
from typing import Any

from controller.cli.arguments import Exit, add_command, add_json, add_site, add_who, language, who_of
from controller.cli.client import ask
from controller.cli.output import complain, print_json, say
from controller.core.text import Language, Text

# What is changed may have to be let go before, in the time that its system declares.
ANSWER_WITHIN_S = 3600.0

_RELOADED = Text("configuration {after} is loaded instead of {before}", "已加载配置 {after}，替换 {before}")
_UNCHANGED = Text("nothing has changed; configuration {before} goes on", "没有变化；继续使用配置 {before}")
_DIFFERENT = Text(
    "not loaded, only compared: configuration {after} would replace {before}",
    "仅比较，未加载：配置 {after} 将替换 {before}",
)
_REFUSED = Text("refused; configuration {before} goes on", "已拒绝；继续使用配置 {before}")
_WORDS = {"reloaded": _RELOADED, "unchanged": _UNCHANGED, "different": _DIFFERENT, "refused": _REFUSED}


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "reload",
        "check the changed files and let the running daemon go on with them",
        "tidewatt reload config/sites/demo --dry-run",
    )
    add_site(parser)
    parser.add_argument("--dry-run", action="store_true", help="only tell what is different, and what is wrong")
    add_who(parser)
    add_json(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    who = who_of(arguments)
    answer = ask(arguments.site, "reload", within_s=ANSWER_WITHIN_S, who=who, dry_run=arguments.dry_run)
    if arguments.json:
        print_json(answer)
    else:
        for line in told(answer, language()):
            say(line)
        for line in wrong(answer, language()):
            complain(line)
    return Exit.CONFIGURATION if answer["result"] == "refused" else Exit.OK


def told(answer: dict[str, Any], chosen: Language) -> list[str]:
    """The difference, and what became of it."""
    differences = answer["difference_zh" if chosen == "zh" else "difference"]
    return [*differences, _WORDS[answer["result"]].in_language(chosen).format(**answer)]


def wrong(answer: dict[str, Any], chosen: Language) -> list[str]:
    """Every problem of the files, or the one reason why they are not taken."""
    problems = [f"{each['file']}:{each['line']}: {each['wrong']}; {each['right']}" for each in answer["problems"]]
    reason = answer["reason_zh" if chosen == "zh" else "reason"]
    return problems or ([reason] if reason else [])

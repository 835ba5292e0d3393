"""tidewatt health SITE: whether the controller itself is well, with the daemon alive or dead."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from controller.cli.arguments import Exit, add_command, add_json, add_site, language
from controller.cli.client import DaemonNotRunning, ask
from controller.cli.output import print_json, say
from controller.cli.site_folder import load_site
from controller.cli.words import counted, lasting, program, term
from controller.core.errors import ConfigError, EnvironmentProblem
from controller.core.health import Finding, Severity, low_space, ordered
from controller.core.text import Language, Text
from controller.runtime.health import as_json
from controller.runtime.store import held_by

# The exit codes of the Monitoring Plugins' guidelines ("Plugin Return Codes").
_NAGIOS_OK, _NAGIOS_WARNING, _NAGIOS_CRITICAL = 0, 1, 2

_EXAMPLE = "tidewatt health config/sites/demo || echo 'somebody should look'"
_WELL = Text("well", "正常")
_NOT_WELL = Text("not well", "不正常")
_INSTEAD = Text("instead: {}", "应为：{}")
_SUMMARY = Text(
    "running for {running}, {scans} scans, {held} held, {up} of {links} links up, {counted_alarms}",
    "已运行 {running}，扫描 {scans} 次，持有 {held} 点，连接 {up}/{links} 正常，激活报警 {alarms} 个",
)
_WATCHES = Text(", watching its files", "，监视配置文件")


def register(commands: Any) -> None:
    parser = add_command(
        commands, "health", "whether the controller itself is well; for people, cron and monitoring", _EXAMPLE
    )
    add_site(parser)
    add_json(parser)
    parser.add_argument("--nagios", action="store_true", help="one line, and exit code 0 ok, 1 warning, 2 critical")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    site: Path = arguments.site
    told, found = _of_daemon(site)
    found += [*_of_disk(site), *_of_files(site, None if told is None else str(told["configuration"]))]
    found = list(ordered(found))
    if arguments.json:
        print_json(_as_data(told, found))
    elif arguments.nagios:
        say(_one_line(told, found, language()))
        return _nagios(found)
    else:
        for line in _lines(told, found, language()):
            say(line)
    is_well = all(each.severity is not Severity.CRITICAL for each in found)
    return Exit.OK if is_well else Exit.ENVIRONMENT


def _of_daemon(site: Path) -> tuple[dict[str, Any] | None, list[Finding]]:
    try:
        told = ask(site, "health")
    except DaemonNotRunning:
        return None, [_dead(site)]
    except EnvironmentProblem as error:
        right = Text("restart the daemon, and report it with its log", "重启守护进程，并连同日志上报")
        if not (site / "site.yaml").is_file():
            right = Text("name the site's folder", "给出站点文件夹")
        return None, [Finding("daemon", Severity.CRITICAL, Text(str(error), str(error)), right)]
    return told, [_from_json(each) for each in told.pop("findings")]


def _dead(site: Path) -> Finding:
    """What nobody who answers can tell, the store can."""
    store = site / "state" / "store.db"
    start = f"{program()} run {site}"
    right = Text(f"start it: {start}", f"启动：{start}")
    if not store.is_file():
        return Finding(
            "daemon",
            Severity.CRITICAL,
            Text("no daemon answers; it has never run here", "守护进程无应答；从未在此运行"),
            right,
        )
    try:
        held = held_by(store)
    except EnvironmentProblem as error:
        return Finding(
            "daemon", Severity.CRITICAL, Text(f"no daemon answers; {error}", f"守护进程无应答；{error}"), right
        )
    if not held:
        wrong = Text("no daemon answers; nothing is held", "守护进程无应答；无持有点")
        return Finding("daemon", Severity.CRITICAL, wrong, right)
    release = f"{program()} release {site}"
    points = counted(len(held), "point")
    return Finding(
        "daemon",
        Severity.CRITICAL,
        Text(
            f"no daemon answers; {points} may still be held, such as {held[0]}",
            f"守护进程无应答；可能仍持有 {len(held)} 点，如 {held[0]}",
        ),
        Text(f"start it ({start}), or let go: {release}", f"启动（{start}），或释放：{release}"),
    )


def _of_disk(site: Path) -> list[Finding]:
    state = site / "state"
    try:
        free = shutil.disk_usage(state if state.is_dir() else site).free
    except OSError:  # what the folder lacks is told by what reads the files
        return []
    finding = low_space(free)
    return [] if finding is None else [finding]


def _of_files(site: Path, running: str | None) -> list[Finding]:
    """What the next start would make of the site's files. running: the configuration that is in force."""
    check = f"{program()} check {site}"
    try:
        digest = load_site(site).digest
    except ConfigError as error:
        problems = counted(len(error.problems), "problem")
        severity = Severity.CRITICAL if running is None else Severity.WARNING
        return [
            Finding(
                "configuration",
                severity,
                Text(
                    f"the site's files have {problems}: the next start would fail",
                    f"站点文件有 {len(error.problems)} 处问题：下次启动将失败",
                ),
                Text(f"mend what it says: {check}", f"按提示更正：{check}"),
            )
        ]
    if running is None or digest == running:
        return []
    reload = f"{program()} reload {site}"
    return [
        Finding(
            "configuration",
            Severity.WARNING,
            Text(
                "the site's files have changed since the daemon read them",
                "守护进程读取后，站点文件已被修改",
            ),
            Text(f"let it read them: {reload}, or change them back", f"让其重新读取：{reload}，或改回原样"),
        )
    ]


# --- telling ----------------------------------------------------------------------------------------------------------


def _from_json(each: dict[str, Any]) -> Finding:
    return Finding(each["subject"], Severity(each["severity"]), Text(**each["wrong"]), Text(**each["right"]))


def _as_data(told: dict[str, Any] | None, found: list[Finding]) -> dict[str, Any]:
    severities = {each.severity for each in found}
    worst = next((each.value for each in (Severity.CRITICAL, Severity.WARNING) if each in severities), "ok")
    return {"health": worst, "daemon": told, "findings": [as_json(each) for each in found]}


def _summary(told: dict[str, Any], chosen: Language) -> str:
    links = told["links"].values()
    summary = _SUMMARY.in_language(chosen).format(
        running=lasting(told["running_for_s"]),
        scans=told["scan"]["count"],
        held=told["held"],
        up=sum(link["up"] for link in links),
        links=len(links),
        alarms=told["alarms"]["active"],
        counted_alarms=counted(told["alarms"]["active"], "active alarm"),
    )
    return summary + (_WATCHES.in_language(chosen) if told["reload"] == "watch" else "")


def _lines(told: dict[str, Any] | None, found: list[Finding], chosen: Language) -> list[str]:
    is_well = all(each.severity is not Severity.CRITICAL for each in found)
    lines = [(_WELL if is_well else _NOT_WELL).in_language(chosen)]
    if told is not None:
        lines.append(_summary(told, chosen))
    for each in found:
        lines.append(f"{term(each.severity.value, chosen)}: {each.wrong.in_language(chosen)}")
        lines.append(f"  {_INSTEAD.in_language(chosen).format(each.right.in_language(chosen))}")
    return lines


def _one_line(told: dict[str, Any] | None, found: list[Finding], chosen: Language) -> str:
    words = {_NAGIOS_OK: "OK", _NAGIOS_WARNING: "WARNING", _NAGIOS_CRITICAL: "CRITICAL"}[_nagios(found)]
    sentences = [each.wrong.in_language(chosen) for each in found] or ([_summary(told, chosen)] if told else [])
    # A bar would begin the performance data.
    line = f"TIDEWATT {words} - {'; '.join(sentences)}".replace("|", "/").replace("\n", " ")
    return line if told is None else f"{line} | {_performance(told)}"


def _performance(told: dict[str, Any]) -> str:
    scan, history = told["scan"], told["history"]
    return (
        f"scan_age={scan['age_s'] or 0}s overruns={scan['overruns']}c missed={scan['missed']}c "
        f"history_behind={history['behind_s']}s held={told['held']} alarms={told['alarms']['active']}"
    )


def _nagios(found: list[Finding]) -> int:
    severities = {each.severity for each in found}
    if Severity.CRITICAL in severities:
        return _NAGIOS_CRITICAL
    return _NAGIOS_WARNING if severities else _NAGIOS_OK

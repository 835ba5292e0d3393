"""Whether the controller itself is well: what is wrong with it and what would be right. Pure.

What is wrong with the plant is an alarm, and not told here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from controller.core.text import Text

# Scans may be late; one that is this many periods away, and this many seconds, has stopped.
STOPPED_AFTER_PERIODS = 5.0
STOPPED_AFTER_S = 5.0
# An overrun or a bad end is worth a look while it is recent.
OVERRUN_IS_RECENT_S = 600.0
RESTART_IS_RECENT_S = 86400.0
# History is handed over every second; a disk may be busy for a while.
HISTORY_MAY_BE_BEHIND_S = 60.0
# Of state/, bytes. A day of 1,000 points takes about 100 MiB.
LITTLE_SPACE = 1024**3
NO_SPACE = 200 * 1024**2


class Severity(StrEnum):
    """critical: it does not do its work. warning: it does, and somebody should look."""

    WARNING = "warning"
    CRITICAL = "critical"


class Finding(NamedTuple):
    """subject: what is not well, one word for scripts. wrong, right: sentences."""

    subject: str
    severity: Severity
    wrong: Text
    right: Text


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a running daemon. Times in seconds; scan_age, overrun_ago: None where there was none yet.

    links_down: link to its trouble. history_trouble, store_trouble: "" where the disk takes everything.
    faults: strategy to what it did, of those that are off until somebody acts. clock_doubt: why the wall clock is not
    believed.
    """

    scan_every: float
    scan_age: float | None
    overruns: int = 0
    missed: int = 0
    late_by: float = 0.0
    overrun_ago: float | None = None
    links_down: Mapping[str, str] = field(default_factory=dict[str, str])
    history_behind: float = 0.0
    history_trouble: str = ""
    history_dropped: int = 0
    store_trouble: str = ""
    faults: Mapping[str, str] = field(default_factory=dict[str, str])
    clock_doubt: Text | None = None
    running_for: float = 0.0
    earlier_run_ended_cleanly: bool = True
    is_latched: bool = False


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Everything that is wrong with a running daemon, what is critical first."""
    looks = (_scan, _links, _store, _history, _strategies, _clock, _earlier)
    return ordered([finding for look in looks for finding in look(facts)])


def ordered(found: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda each: each.severity is not Severity.CRITICAL))


def _scan(facts: Facts) -> Iterator[Finding]:
    stopped = max(STOPPED_AFTER_S, STOPPED_AFTER_PERIODS * facts.scan_every)
    if facts.scan_age is not None and facts.scan_age > stopped:
        yield Finding(
            "scan",
            Severity.CRITICAL,
            Text(
                f"the last scan is {facts.scan_age:.0f} s ago, one is due every {facts.scan_every:g} s",
                f"上次扫描在 {facts.scan_age:.0f} 秒前，应每 {facts.scan_every:g} 秒一次",
            ),
            Text("restart the daemon, and report it with its log", "重启守护进程，并连同日志上报"),
        )
    if facts.overrun_ago is not None and facts.overrun_ago < OVERRUN_IS_RECENT_S:
        yield Finding(
            "overruns",
            Severity.WARNING,
            Text(
                f"scans overrun: the latest {facts.overrun_ago:.0f} s ago by {facts.late_by:.1f} s; "
                f"{facts.overruns} since the start, {facts.missed} scans left out",
                f"扫描超时：最近一次在 {facts.overrun_ago:.0f} 秒前，迟 {facts.late_by:.1f} 秒；"
                f"启动以来 {facts.overruns} 次，漏扫 {facts.missed} 次",
            ),
            Text(
                "look for what else keeps this machine busy, or give scan_every more time in site.yaml",
                "检查本机上占用处理器的其他程序，或在 site.yaml 中放宽 scan_every",
            ),
        )


def _links(facts: Facts) -> Iterator[Finding]:
    for link, trouble in facts.links_down.items():
        yield Finding(
            "link",
            Severity.CRITICAL,
            Text(f"link {link} is down: {trouble or 'no answer'}", f"连接 {link} 中断：{trouble or '无应答'}"),
            Text(
                f"check power, cable and address of {link}; it is tried again by itself, or at once by: tidewatt retry",
                f"检查 {link} 的供电、线缆和地址；会自动重试，或立即执行 tidewatt retry",
            ),
        )


def _store(facts: Facts) -> Iterator[Finding]:
    if facts.store_trouble:
        yield Finding(
            "store",
            Severity.CRITICAL,
            Text(
                f"what must survive a restart is not kept: {facts.store_trouble}",
                f"重启后须保留的状态无法保存：{facts.store_trouble}",
            ),
            Text("make the disk of state/ writable and give it space", "使 state/ 所在磁盘可写并留出空间"),
        )


def _history(facts: Facts) -> Iterator[Finding]:
    if facts.history_behind > HISTORY_MAY_BE_BEHIND_S:
        cause = facts.history_trouble
        yield Finding(
            "history",
            Severity.CRITICAL,
            Text(
                f"history is {facts.history_behind:.0f} s behind" + (f": {cause}" if cause else ""),
                f"历史记录落后 {facts.history_behind:.0f} 秒" + (f"：{cause}" if cause else ""),
            ),
            Text(
                "give the disk of state/ space and write access; samples wait in memory meanwhile",
                "为 state/ 所在磁盘留出空间并恢复写入；其间样本留在内存中",
            ),
        )
    if facts.history_dropped:
        yield Finding(
            "history",
            Severity.WARNING,
            Text(
                f"{facts.history_dropped} records of this run are lost to history",
                f"本次运行有 {facts.history_dropped} 条历史记录丢失",
            ),
            Text("the disk was away for too long; a restart begins to count anew", "磁盘中断过久；重启后重新计数"),
        )


def _strategies(facts: Facts) -> Iterator[Finding]:
    for strategy, fault in facts.faults.items():
        yield Finding(
            "strategy",
            Severity.CRITICAL,
            Text(f"strategy {strategy} is off by its faults: {fault}", f"策略 {strategy} 因故障停用：{fault}"),
            Text(
                f"mend what it says, then: tidewatt retry SITE {strategy}",
                f"按提示排除后执行：tidewatt retry SITE {strategy}",
            ),
        )


def _clock(facts: Facts) -> Iterator[Finding]:
    if facts.clock_doubt is not None:
        doubt = facts.clock_doubt
        yield Finding(
            "clock",
            Severity.CRITICAL,
            Text(
                f"the wall clock is not believed, and nothing is decided by it: {doubt.en}",
                f"系统时钟不可信，不据此决策：{doubt.zh}",
            ),
            Text("let a time server keep the clock of this machine (NTP)", "为本机配置时间服务器（NTP）"),
        )


def _earlier(facts: Facts) -> Iterator[Finding]:
    if facts.is_latched:
        yield Finding(
            "latched",
            Severity.CRITICAL,
            Text(
                "ended uncleanly too often within an hour: the original controls have every system",
                "一小时内异常退出次数过多：所有系统由原控控制",
            ),
            Text(
                "find out why in the system's journal, then: tidewatt authority SITE --reset",
                "在系统日志中查明原因后执行：tidewatt authority SITE --reset",
            ),
        )
    elif not facts.earlier_run_ended_cleanly and facts.running_for < RESTART_IS_RECENT_S:
        ran = _span(facts.running_for)
        yield Finding(
            "restart",
            Severity.WARNING,
            Text(
                f"the run before this one, which began {ran.en} ago, ended without letting go",
                f"本次运行始于 {ran.zh}前，之前的运行未经释放即结束",
            ),
            Text(
                "a power cut, a kill or a bug: the system's journal tells which",
                "断电、强制结束或程序缺陷：请查看系统日志",
            ),
        )


def _span(seconds: float) -> Text:
    """43 s, 12 min, 3 h."""
    if seconds < 100:
        return Text(f"{seconds:.0f} s", f"{seconds:.0f} 秒")
    if seconds < 100 * 60:
        return Text(f"{seconds / 60:.0f} min", f"{seconds / 60:.0f} 分钟")
    return Text(f"{seconds / 3600:.0f} h", f"{seconds / 3600:.0f} 小时")


def low_space(free: int) -> Finding | None:
    """free: bytes on the disk of state/."""
    if free >= LITTLE_SPACE:
        return None
    shown = f"{free / 1024**2:.0f} MiB"
    return Finding(
        "disk",
        Severity.CRITICAL if free < NO_SPACE else Severity.WARNING,
        Text(f"{shown} are left on the disk of state/", f"state/ 所在磁盘仅剩 {shown}"),
        Text("free some: a day of 1,000 points takes about 100 MiB", "请清理：1,000 个点每天约需 100 MiB"),
    )

"""One page for the wall: how the night shift has the plant back with the box unplugged. Both languages on one sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import NamedTuple

from controller.core.point import Point, PointId
from controller.core.site import Contact, Site
from controller.core.system import System
from controller.core.text import Text
from controller.core.units import Unit
from controller.core.unplugged import Unplugged, unplugged
from controller.reports.page import breakable, document

# Of a large system; the rest is counted.
MOST_EQUIPMENT = 12
MOST_STAYING = 8
LINES_FOR_CONTACTS = 3

_TITLE = Text("Having the plant back without Tidewatt", "断开 Tidewatt，恢复原有控制")
_COLUMNS = (
    Text("system", "系统"),
    Text("what Tidewatt may hold", "本控可能持有"),
    Text("when it is unplugged", "断开后会怎样"),
    Text("do at the panel", "在控制柜上操作"),
    Text("it has worked when", "成功的标志"),
)
_STEPS = (
    Text(
        "If the box still runs and there is time, let it hand back in order, on the box: {release} (up to {within}).",
        "若本控仍在运行且时间允许，先在其上按顺序交还：{release}（最长 {within}）。",
    ),
    Text(
        "Else pull the box's power plug. Nothing more is needed at the box. Everything is then let go at once, not in "
        "order; the machines' hard-wired protection stays as it is.",
        "否则拔掉本控的电源插头，本控上无需其他操作。此时全部同时释放，不按顺序；设备的硬接线保护不受影响。",
    ),
    Text(
        "Wait {seconds}: by then every device that notices our silence has let go by itself.",
        "等待 {seconds}：届时能察觉失联的设备均已自行恢复。",
    ),
    Text(
        "Then do, system by system, what stands below, and look for its sign.",
        "然后按下表逐个系统操作，并确认成功标志。",
    ),
    Text(
        "Leave the box unplugged until somebody on the list has been told.", "通知名单中的人员之前，不要重新接通本控。"
    ),
)
_DROPS = Text(
    "all of it goes back to its own controls within {seconds}, by itself",
    "全部设备在 {seconds} 内自行恢复原有控制",
)
_DROPS_SOME = Text(
    "goes back to its own controls within {seconds}, by itself, but for:",
    "在 {seconds} 内自行恢复原有控制，但下列除外：",
)
_STAYS = Text("nothing goes back by itself; these keep the last value:", "不会自行恢复；下列保持最后的值：")
_RANGE = Text(
    "{point}: stays where it is, within {low:g} to {high:g}{unit}", "{point}：保持原值，在 {low:g} 至 {high:g}{unit} 内"
)
_AT_PANEL = Text("set each of these at its panel", "在控制柜上逐一设定")
_NOTHING_TO_DO = Text("nothing; look at the sign", "无需操作，确认标志即可")
_BY_HAND = Text("turn the switch of what does not follow to HAND or LOCAL", "对未恢复的设备，将开关置于手动或就地")
_PROOF = Text("its own controls move it again; the panel shows no remote control", "原控制器重新动作；面板不再显示远控")
_MORE = Text("and {} more", "等另外 {} 个")
_NOTHING = Text("nothing", "无")
_CALL = Text("Call", "联系人")
_MADE = Text(
    "Made {when} for configuration {digest}; replace it whenever the site's files have changed.",
    "制于 {when}，配置摘要 {digest}；配置变更后请更换。",
)
_SECONDS = Text("{} s", "{} 秒")
_MINUTES = Text("{} min", "{} 分钟")

# A factor and a sign for units that people write in another way.
_SHOWN = {Unit.NONE: (1.0, ""), Unit.FRACTION: (100.0, " %"), Unit.CELSIUS: (1.0, " °C")}

_STYLE = """
@page { size: A4; margin: 10mm; }
h1 { font-size: 15pt; margin: 0; } h1 + h1 { margin-bottom: 3mm; } h2 { font-size: 11pt; margin: 4mm 0 1mm; }
ol { margin: 1mm 0 3mm; padding-left: 6mm; } li { margin: 1mm 0; }
.zh { display: block; } .system { width: 13%; font-weight: bold; } .holds { width: 18%; } .panel { width: 25%; }
.action { white-space: pre-line; }
ul { margin: 0; padding-left: 4mm; } .call td { height: 6mm; }
"""


class Head(NamedTuple):
    """release: the command that hands back in order. now: when the sheet was made."""

    release: str
    now: datetime


def as_html(site: Site, head: Head) -> str:
    """For A4, portrait."""
    title = f"{site.name}: {_TITLE.en} / {_TITLE.zh}"
    systems = [(system, unplugged(system, site)) for system in site.systems]
    heads = "".join(f"<th class={name}>{_both(each)}</th>" for name, each in zip(_CLASSES, _COLUMNS, strict=True))
    rows = "".join(_row(system, found) for system, found in systems)
    when = f"{head.now.astimezone(site.zone):%Y-%m-%d %H:%M}"
    body = (
        f"<h1>{escape(site.name)}: {escape(_TITLE.en)}</h1>\n<h1>{escape(_TITLE.zh)}</h1>\n"
        f"<ol>{_steps(site, systems, head.release)}</ol>\n"
        f"<table><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n"
        f"<h2>{_both(_CALL)}</h2>\n<table class=call><tbody>{_contacts(site.contacts)}</tbody></table>\n"
        f'<p class="small">{_both(_MADE, when=when, digest=site.digest)}</p>\n'
    )
    return document(title, "en", _STYLE, body)


_CLASSES = ("system", "holds", "silence", "panel", "proof")


def _steps(site: Site, systems: Sequence[tuple[System, Unplugged]], release: str) -> str:
    slowest = max((system.release_within.total_seconds() for system in site.systems), default=0.0)
    longest = max((found.within for _, found in systems), default=0.0)
    within, seconds = _lasting(slowest), _lasting(longest)
    steps = (
        Text(
            step.en.format(release=release, within=within.en, seconds=seconds.en),
            step.zh.format(release=release, within=within.zh, seconds=seconds.zh),
        )
        for step in _STEPS
    )
    return "".join(f"<li>{_both(each)}</li>" for each in steps)


def _row(system: System, found: Unplugged) -> str:
    names = _equipment([*found.dropped, *(point.id for point in found.stays)])
    cells = (
        _both(system.name),
        "<br>".join(map(breakable, names[:MOST_EQUIPMENT])) + _rest(len(names) - MOST_EQUIPMENT) or _both(_NOTHING),
        _silence(found),
        _action(system, found),
        _both(_PROOF) if system.hand_back is None or not system.hand_back.proof.en else _both(system.hand_back.proof),
    )
    return (
        "<tr>"
        + "".join(f"<td class={name}>{each}</td>" for name, each in zip(_CLASSES, cells, strict=True))
        + "</tr>\n"
    )


def _silence(found: Unplugged) -> str:
    if not found.dropped and not found.stays:
        return _both(_NOTHING)
    seconds = _lasting(found.within)
    if not found.stays:
        return _both(Text(_DROPS.en.format(seconds=seconds.en), _DROPS.zh.format(seconds=seconds.zh)))
    first = Text(_DROPS_SOME.en.format(seconds=seconds.en), _DROPS_SOME.zh.format(seconds=seconds.zh))
    lines = "".join(f"<li>{_stays(point)}</li>" for point in found.stays[:MOST_STAYING])
    return f"{_both(first if found.dropped else _STAYS)}<ul>{lines}</ul>{_rest(len(found.stays) - MOST_STAYING)}"


def _stays(point: Point) -> str:
    assert point.writable is not None
    factor, unit = _SHOWN.get(point.unit, (1.0, f" {point.unit.value}"))
    low, high = (each * factor for each in point.writable.range)
    return _both(_RANGE, point=point.id, low=low, high=high, unit=unit)


def _action(system: System, found: Unplugged) -> str:
    """What the site says; else what follows from how the points are let go."""
    if system.hand_back is not None:
        return f"<span class=action>{_both(system.hand_back.action)}</span>"
    if found.stays:
        return _both(_AT_PANEL)
    return _both(_NOTHING_TO_DO) + _both(_BY_HAND)


def _contacts(contacts: Sequence[Contact]) -> str:
    """Lines to fill in by hand where the site names nobody."""
    if not contacts:
        return "<tr><td></td><td></td></tr>" * LINES_FOR_CONTACTS
    return "".join(f"<tr><td>{_both(each.who)}</td><td>{escape(each.phone)}</td></tr>" for each in contacts)


def _equipment(points: Iterable[PointId]) -> list[str]:
    return list(dict.fromkeys(point.rpartition(".")[0] for point in points))


def _rest(count: int) -> str:
    return f"<br>{_both(_MORE, count)}" if count > 0 else ""


def _both(text: Text, *values: object, **named: object) -> str:
    """English above Chinese, escaped; one of them where both are the same."""
    en, zh = (each.format(*values, **named) if values or named else each for each in text)
    return breakable(en) if en == zh else f'{breakable(en)}<span class="zh" lang="zh-CN">{breakable(zh)}</span>'


def _lasting(seconds: float) -> Text:
    words, number = (_SECONDS, seconds) if seconds < 120 else (_MINUTES, seconds / 60)
    return Text(words.en.format(f"{number:.3g}"), words.zh.format(f"{number:.3g}"))

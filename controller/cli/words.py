"""How values and times look to people."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.cells import cell_len

from controller.core.tariff_calendar import Band
from controller.core.text import Language, Text

ON, OFF = Text("on", "开"), Text("off", "关")
# The identifiers that people get to see, in the words of docs/nomenclature.md; in English they are words themselves.
_CHINESE = {
    "pending": "待定",
    "owned": "已持有",
    "ignored": "被忽略",
    "overridden": "被改写",
    "implausible": "不合理",
    "original": "原控",
    "tidewatt": "本控",
    "commissioning": "调试",
    "off": "停用",
    "shadow": "影子",
    "auto": "自动",
    "good": "良好",
    "uncertain": "可疑",
    "bad": "无效",
    "manual_life_safety": "人工生命安全",
    "automatic_life_safety": "自动生命安全",
    "critical_equipment": "关键设备",
    "minimum_on_off": "最短启停",
    "manual_operator": "操作员",
    "demand_response": "需求响应",
    "optimisation": "优化",
    "schedule": "时间表",
    "command": "命令",
    "verdict": "判定",
    "alarm": "报警",
    "plan": "计划",
    "forecast": "预测",
    "model": "模型",
    "same_hour_last_week": "上周同一时刻",
    "mode": "模式",
    "authority": "控制权",
    "release": "释放",
    "link": "连接",
    "strategy": "策略",
    "configuration": "配置",
    "daemon": "守护进程",
    "equipment": "设备",
    "passed": "通过",
    "failed": "未通过",
    "not commissioned": "调试未完成",
    "authority not stored": "控制权未保存",
    "latched at original": "锁定于原控",
    "availability": "可用性",
    "ab_days": "A/B 日",
    "disturbed": "受干扰",
    "suspended": "暂停",
    "resumed": "恢复",
    "local": "就地",
    "tripped": "跳闸",
    "locked_out": "锁定",
    "unknown": "未知",
    "lock-out not stored": "锁定未保存",
    "wall clock not trusted": "时钟不可信",
    "active": "激活",
    "cleared": "已消除",
    "direct": "直供",
    "charge": "充冷",
    "discharge": "放冷",
    "effect missing": "效果缺失",
    "tariff ends": "电价到期",
    "lamp times not sent": "灯具时刻未送达",
    "lamp times not confirmed": "灯具时刻未登记",
    "lamp times sent": "灯具时刻已送达",
    "short cycling": "频繁启停",
    "maintenance overdue": "保养超期",
    "configuration not loaded": "配置未加载",
    "condenser fouled": "冷凝器结垢",
    "efficiency drifting": "能效下降",
    "reloaded": "已重载",
    "refused": "已拒绝",
    "link refused": "连接被拒绝",
    "link lost": "连接中断",
    "device lost": "设备失联",
    "strategy at fault": "策略故障",
    "stored state not used": "未使用保存的状态",
    "fire": "火警",
    "fire input lost": "火警输入失效",
    "waiting for reset": "待复位",
    "history changed": "历史被改动",
    "store damaged": "状态库损坏",
    "urgent": "紧急",
    "high": "高",
    "medium": "中",
    "low": "低",
    "normal": "正常",
    "unacknowledged": "未确认",
    "acknowledged": "已确认",
    "returned": "已恢复未确认",
    "shelved": "搁置",
    "suppressed": "抑制",
    "out of service": "停用",
    "out_of_service": "停用",
    "warning": "警告",
    "critical": "严重",
    "held": "保持",
    "substituted": "替代",
    "absent": "缺失",
}

# A sign and a colour for each band of a tariff.
BAND_SIGNS: Mapping[Band, tuple[str, str]] = {
    Band.SUPER_PEAK: ("█", "bold red"),
    Band.PEAK: ("▓", "red"),
    Band.FLAT: ("░", "yellow"),
    Band.VALLEY: ("·", "green"),
    Band.DEEP_VALLEY: ("_", "bold green"),
}

_DECIMALS = {"degC": 1, "K": 1, "kW": 1, "kWh": 1, "kPa": 1, "kg/s": 1, "lx": 0, "ppm": 0, "s": 0}
# A lamp takes 0.015 kW: less than one of these is told to the thousandth.
_MAY_BE_SMALL = frozenset({"kW", "kWh", "kg/s"})
_SHOWN_UNIT = {"degC": "°C", "fraction": "%", "none": ""}


def value(shown: Any, unit: str, language: Language) -> str:
    """A value with its unit as people write it: 25 %, 7.0 °C, on."""
    if shown is None:
        return "—"
    if isinstance(shown, bool):
        return (ON if shown else OFF).in_language(language)
    if isinstance(shown, str):
        return shown
    if unit == "fraction":
        return f"{shown * 100:.0f} %"
    decimals = _DECIMALS.get(unit, 0 if isinstance(shown, int) else 2)
    if unit in _MAY_BE_SMALL and 0.0 < abs(shown) < 0.95:
        decimals = 3
    return f"{shown:.{decimals}f} {_SHOWN_UNIT.get(unit, unit)}".rstrip()


def term(identifier: str, language: Language) -> str:
    """A verdict, quality, level, mode, authority or kind of event as people read it."""
    return _CHINESE.get(identifier, identifier) if language == "zh" else identifier.replace("_", " ")


def counted(number: int, what: str) -> str:
    """1 link, 2 links, 3 strategies, 4 days."""
    if number == 1:
        return f"1 {what}"
    is_changed = what.endswith("y") and what[-2] not in "aeiou"
    return f"{number} {what[:-1]}ies" if is_changed else f"{number} {what}s"


def padded(text: str, width: int) -> str:
    """Filled up with spaces; a Chinese character takes the room of two."""
    return text + " " * max(0, width - cell_len(text))


def width(text: str) -> int:
    """On a terminal; a Chinese character takes the room of two."""
    return cell_len(text)


def moment(instant: str | None, zone: ZoneInfo, now: datetime) -> str:
    """The time of day; with the date where it was another day."""
    if instant is None:
        return "—"
    at = datetime.fromisoformat(instant).astimezone(zone)
    return f"{at:%H:%M:%S}" if at.date() == now.astimezone(zone).date() else f"{at:%m-%d %H:%M}"


def program() -> str:
    """How this command was called, for hints that can be typed as they stand."""
    called = Path(sys.argv[0])
    return "tidewatt" if shutil.which("tidewatt") or called.name != "tidewatt" else str(called)


def lasting(seconds: float) -> str:
    """43 s, 12 min, 3 h 5 min, 2 d 4 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"

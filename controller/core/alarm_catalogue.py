"""The alarms that every site has without a file: what Tidewatt itself finds wrong, how soon somebody must act, and
what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from controller.core.alarm import Behaviour, Priority, Wording
from controller.core.text import Text

LINK_LOST = "link lost"
LINK_REFUSED = "link refused"
DEVICE_LOST = "device lost"
STRATEGY_FAULT = "strategy at fault"
SHORT_CYCLING = "short cycling"
MAINTENANCE_OVERDUE = "maintenance overdue"
FIRE = "fire"
FIRE_INPUT_LOST = "fire input lost"
CONDENSER_FOULED = "condenser fouled"
EFFICIENCY_DRIFTING = "efficiency drifting"
STORE_FAILED = "nothing can be stored"
LAMP_TIMES_NOT_SENT = "lamp times not sent"
LAMP_TIMES_NOT_CONFIRMED = "lamp times not confirmed"

# Told even where a lost device or link explains them.
NEVER_EXPLAINED = frozenset({LINK_REFUSED, FIRE, FIRE_INPUT_LOST})

# About places of the sun clock, which no file of the configuration names.
ABOUT_PLACES = frozenset({LAMP_TIMES_NOT_CONFIRMED})

# Not doing what it is told means nothing of a machine that others have: that it is not in auto is told already.
NEEDS_AUTO = frozenset({"ignored", "overridden", "effect missing"})

# Connections that blink are no alarm; what comes back together with its device is not told one by one.
_BLINK = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """is_momentary: it happened, and is over as soon as it began. is_durable: whoever raised it will also end it, even
    after a restart."""

    behaviour: Behaviour
    wording: Wording
    is_momentary: bool = False
    is_durable: bool = False


def _built_in(
    priority: Priority, wrong: Text, advice: Text, delay: timedelta = timedelta(0), *, durable: bool = False
) -> BuiltIn:
    return BuiltIn(Behaviour(priority, delay, delay), Wording(wrong, advice), is_durable=durable)


BUILT_IN: Mapping[str, BuiltIn] = {
    FIRE: BuiltIn(
        Behaviour(Priority.URGENT, latching=True),
        Wording(
            Text("lights full; ventilation and cooling plant let go", "照明全亮；通风与冷源已释放，待复位"),
            Text(
                "follow the fire plan; once it is over: tidewatt fire SITE reset",
                "按消防预案处置；解除后执行：tidewatt fire SITE reset",
            ),
        ),
    ),
    FIRE_INPUT_LOST: _built_in(
        Priority.URGENT,
        Text("lights full; no new command to ventilation", "照明全亮；通风不下达新命令"),
        Text(
            "mend the contact, its cable or its device; until then nobody here sees a fire",
            "检修火警触点、线缆或设备；恢复前无法获知火警",
        ),
        _BLINK,
    ),
    LINK_LOST: _built_in(
        Priority.HIGH,
        Text("no connection; everything behind it is unknown", "连接中断；其后的数据均未知"),
        Text(
            "check the device's power, the cable and the address in devices.yaml",
            "检查设备供电、线缆及 devices.yaml 中的地址",
        ),
        _BLINK,
    ),
    LINK_REFUSED: _built_in(
        Priority.HIGH,
        Text("the other side refuses us", "对方拒绝连接"),
        Text(
            "mend the password or certificate, then: tidewatt retry SITE LINK",
            "更正密码或证书，然后执行：tidewatt retry SITE LINK",
        ),
    ),
    DEVICE_LOST: _built_in(
        Priority.HIGH,
        Text("the device does not answer, its link does", "设备无应答，连接正常"),
        Text("check the device's power and its address on the line", "检查设备供电及其总线地址"),
        _BLINK,
    ),
    "ignored": _built_in(
        Priority.HIGH,
        Text("the device does not do what is written to it", "设备未执行写入的命令"),
        Text(
            "look whether it stands in local or hand; tidewatt explain SITE POINT",
            "检查是否处于就地或手动；tidewatt explain SITE POINT",
        ),
    ),
    "implausible": _built_in(
        Priority.HIGH,
        Text("what is read back cannot be", "回读值不合理"),
        Text("check address, scaling and wiring of the point", "检查该点的地址、量程与接线"),
    ),
    "overridden": _built_in(
        Priority.MEDIUM,
        Text("somebody else changed it; it is left to them for a while", "被他方改写，暂时让位"),
        Text(
            "ask who did it; to take it back: tidewatt points SITE relinquish POINT",
            "确认是谁操作；收回：tidewatt points SITE relinquish POINT",
        ),
    ),
    "effect missing": _built_in(
        Priority.HIGH,
        Text("it was commanded and does not do it", "已下命令，但未见效果"),
        Text("look at the equipment: breaker, trip, local switch, flow", "查看设备：断路器、跳闸、就地开关、水流"),
    ),
    STRATEGY_FAULT: _built_in(
        Priority.MEDIUM,
        Text("the strategy cannot decide; its points are let go", "策略无法决策，其控制点已释放"),
        Text(
            "look at its inputs; to try again: tidewatt retry SITE STRATEGY",
            "检查其输入；重试：tidewatt retry SITE STRATEGY",
        ),
        timedelta(minutes=1),
    ),
    "tripped": _built_in(
        Priority.HIGH,
        Text("the machine has tripped; it is left to its own controls", "设备跳闸；已交还其原有控制"),
        Text(
            "find the cause and reset it at the machine; if it trips again and again: tidewatt retry SITE EQUIPMENT",
            "查明原因并在设备处复位；若反复跳闸：tidewatt retry SITE EQUIPMENT",
        ),
    ),
    "lock-out not stored": _built_in(
        Priority.HIGH,
        Text("a restart would forget who has locked out what", "重启后将丢失人员锁定"),
        Text("make room on the disk; it is tried again by itself", "清理磁盘空间；将自动重试"),
    ),
    "not commissioned": _built_in(
        Priority.MEDIUM,
        Text("the system stays with its original controls", "系统保持原有控制"),
        Text(
            "test what the sheet says is open: tidewatt commission SITE sheet --open",
            "完成未通过的测试项：tidewatt commission SITE sheet --open",
        ),
    ),
    "authority not stored": _built_in(
        Priority.HIGH,
        Text("a restart would forget who has the system", "重启后将丢失该系统的控制权设置"),
        Text("make room on the disk; it is tried again by itself", "清理磁盘空间；将自动重试"),
    ),
    "latched at original": _built_in(
        Priority.HIGH,
        Text(
            "Tidewatt kept ending by itself; all systems stay with their original controls",
            "Tidewatt 反复异常退出；所有系统保持原有控制",
        ),
        Text(
            "find out why (power, journalctl -u 'tidewatt@*'), then: tidewatt authority SITE --reset",
            "查明原因（供电、journalctl -u 'tidewatt@*'），然后执行：tidewatt authority SITE --reset",
        ),
    ),
    "configuration not loaded": _built_in(
        Priority.MEDIUM,
        Text(
            "the files were changed and could not be loaded; the earlier configuration goes on",
            "文件已更改但未能加载，仍按原配置运行",
        ),
        Text("see what is wrong: tidewatt reload SITE --dry-run", "查看问题：tidewatt reload SITE --dry-run"),
    ),
    "wall clock not trusted": _built_in(
        Priority.HIGH,
        Text(
            "what goes by calendar, sun or tariff is left to the original controls",
            "依赖日历、日照或电价的策略已交还原有控制",
        ),
        Text(
            "look for the time server: timedatectl; a site without one says wall_clock: free_running",
            "检查时间服务器：timedatectl；无时间服务器的站点设置 wall_clock: free_running",
        ),
        timedelta(minutes=1),
    ),
    "tariff ends": _built_in(
        Priority.LOW,
        Text("nobody knows the prices after the tariff's end", "电价到期后价格未知"),
        Text("add the next version to the tariff's file", "在电价文件中加入后续版本"),
        durable=True,
    ),
    SHORT_CYCLING: _built_in(
        Priority.MEDIUM,
        Text("it starts too often or runs too shortly", "启停过于频繁或单次运行过短"),
        Text(
            "look for too little load, a sensor that jumps or limits too close together; tidewatt equipment SITE",
            "检查负荷是否过低、传感器是否跳变、启停限值是否过近；tidewatt equipment SITE",
        ),
        durable=True,
    ),
    MAINTENANCE_OVERDUE: _built_in(
        Priority.LOW,
        Text("maintenance is overdue", "保养超期"),
        Text(
            "have it done, then: tidewatt equipment SITE done EQUIPMENT --what TASK",
            "完成后执行：tidewatt equipment SITE done EQUIPMENT --what TASK",
        ),
        durable=True,
    ),
    STORE_FAILED: _built_in(
        Priority.HIGH,
        Text(
            "the disk takes nothing; everything is let go to the original controls until it does",
            "磁盘无法写入；恢复前所有设备交还原有控制",
        ),
        Text(
            "make room on the disk or replace it (df, dmesg); it is taken over again by itself",
            "清理或更换磁盘（df、dmesg）；恢复后自动重新接管",
        ),
    ),
    "store damaged": BuiltIn(
        Behaviour(Priority.HIGH, latching=True),
        Wording(
            Text(
                "the state store was damaged; every system stays with its original controls",
                "状态库损坏；所有系统保持原有控制",
            ),
            Text(
                "check the disk, lock-outs and the devices; then: tidewatt authority SITE SYSTEM tidewatt",
                "检查磁盘、锁定及设备现状；然后：tidewatt authority SITE SYSTEM tidewatt",
            ),
        ),
        is_momentary=True,
    ),
    "history changed": BuiltIn(
        Behaviour(Priority.HIGH, latching=True),
        Wording(
            Text("events that were recorded are not in history any more", "已记录的事件在历史中缺失"),
            Text(
                "ask who removed or replaced history.db; tidewatt audit SITE verify",
                "查明是谁删除或替换了 history.db；tidewatt audit SITE verify",
            ),
        ),
        is_momentary=True,
    ),
    CONDENSER_FOULED: _built_in(
        Priority.LOW,
        Text("the condenser is dirtier than it was", "冷凝器结垢"),
        Text("have its tubes cleaned; look at the water treatment", "清洗铜管，检查水处理"),
        durable=True,
    ),
    EFFICIENCY_DRIFTING: _built_in(
        Priority.LOW,
        Text("it takes more power than it did", "能效下降"),
        Text(
            "what to look at: tidewatt equipment SITE list EQUIPMENT",
            "排查方向：tidewatt equipment SITE list EQUIPMENT",
        ),
        durable=True,
    ),
    LAMP_TIMES_NOT_SENT: _built_in(
        Priority.MEDIUM,
        Text("staff did not get all of today's lamp times", "当日灯具开关时刻未全部送达"),
        Text(
            "see why below; the robot is tried again by itself; by hand: tidewatt sunclock PLACES.csv --push REF",
            "按原因处理；将自动重发；手动发送：tidewatt sunclock PLACES.csv --push REF",
        ),
        durable=True,
    ),
    LAMP_TIMES_NOT_CONFIRMED: _built_in(
        Priority.MEDIUM,
        Text("nobody says that the day's lamp times are set there", "无人登记该处已设好当日灯具时刻"),
        Text(
            "ask who looks after the place; they answer by their link; tidewatt sunclock-tasks FILE list",
            "联系该处负责人通过链接登记完成；查看：tidewatt sunclock-tasks FILE list",
        ),
        durable=True,
    ),
    "stored state not used": BuiltIn(
        Behaviour(Priority.LOW, latching=True),
        Wording(
            Text("the strategy started afresh", "策略已从初始状态启动"),
            Text("nothing, if it was changed on purpose", "若为有意更改，则无需处理"),
        ),
        is_momentary=True,
    ),
}

UNKNOWN = BuiltIn(Behaviour(Priority.MEDIUM), Wording())


def built_in(name: str) -> BuiltIn:
    return BUILT_IN.get(name, UNKNOWN)

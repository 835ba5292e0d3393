"""Object types and properties as ANSI/ASHRAE 135-2020 numbers them (clause 21): what a template may call by name."""

from __future__ import annotations

from typing import Final

OBJECT_TYPES: Final = {
    "analog-input": 0,
    "analog-output": 1,
    "analog-value": 2,
    "binary-input": 3,
    "binary-output": 4,
    "binary-value": 5,
    "calendar": 6,
    "command": 7,
    "device": 8,
    "event-enrollment": 9,
    "file": 10,
    "group": 11,
    "loop": 12,
    "multi-state-input": 13,
    "multi-state-output": 14,
    "notification-class": 15,
    "program": 16,
    "schedule": 17,
    "averaging": 18,
    "multi-state-value": 19,
    "trend-log": 20,
    "life-safety-point": 21,
    "life-safety-zone": 22,
    "accumulator": 23,
    "pulse-converter": 24,
    "event-log": 25,
    "global-group": 26,
    "trend-log-multiple": 27,
    "load-control": 28,
    "structured-view": 29,
    "access-door": 30,
    "timer": 31,
    "characterstring-value": 40,
    "integer-value": 45,
    "large-analog-value": 46,
    "positive-integer-value": 48,
    "lighting-output": 54,
    "binary-lighting-output": 55,
    "network-port": 56,
    "elevator-group": 57,
    "escalator": 58,
    "lift": 59,
    "staging": 60,
}
TYPE_NAMES: Final = {number: name for name, number in OBJECT_TYPES.items()}

ANALOG: Final = frozenset({0, 1, 2})
BINARY: Final = frozenset({3, 4, 5, 55})
MULTI_STATE: Final = frozenset({13, 14, 19})
# Analog, binary and multi-state inputs, averagings, accumulators, pulse converters.
INPUTS: Final = frozenset({0, 3, 13, 18, 23, 24})
DEVICE: Final = 8
# Vendors have the types from 128 on (clause 23.4.1); an object's number has 22 bits, the last of them a wildcard.
LAST_TYPE: Final = 1023
LAST_INSTANCE: Final = 4194302
ANY_INSTANCE: Final = 4194303

PROPERTIES: Final = {
    "alarm-value": 6,
    "alarm-values": 7,
    "bias": 14,
    "change-of-state-count": 15,
    "controlled-variable-value": 21,
    "cov-increment": 22,
    "deadband": 25,
    "derivative-constant": 26,
    "elapsed-active-time": 33,
    "error-limit": 34,
    "event-state": 36,
    "feedback-value": 40,
    "high-limit": 45,
    "integral-constant": 49,
    "limit-enable": 52,
    "low-limit": 59,
    "max-pres-value": 65,
    "maximum-output": 61,
    "maximum-value": 135,
    "min-pres-value": 69,
    "minimum-off-time": 66,
    "minimum-on-time": 67,
    "minimum-output": 68,
    "minimum-value": 136,
    "notify-type": 72,
    "number-of-states": 74,
    "out-of-service": 81,
    "polarity": 84,
    "present-value": 85,
    "priority-array": 87,
    "proportional-constant": 93,
    "pulse-rate": 186,
    "reliability": 103,
    "relinquish-default": 104,
    "resolution": 106,
    "scale": 187,
    "setpoint": 108,
    "status-flags": 111,
    "system-status": 112,
    "time-delay": 113,
    "tracking-value": 164,
    "units": 117,
    "update-interval": 118,
    "utc-offset": 119,
    "value-before-change": 190,
    "door-status": 231,
    "current-command-priority": 431,
    "power": 384,
    "instantaneous-power": 379,
    "lighting-command": 380,
    "in-progress": 378,
    "default-fade-time": 374,
    "default-ramp-rate": 375,
    "egress-time": 377,
}
PROPERTY_NAMES: Final = {number: name for name, number in PROPERTIES.items()}
# A property's number has 22 bits (clause 20.2.14).
LAST_PROPERTY: Final = 4194303

PRESENT_VALUE: Final = 85
PRIORITY_ARRAY: Final = 87
STATUS_FLAGS: Final = 111
EVENT_STATE: Final = 36
RELIABILITY: Final = 103
OUT_OF_SERVICE: Final = 81
# What says how far a present value may be believed.
QUALITY_PROPERTIES: Final = (STATUS_FLAGS, RELIABILITY, EVENT_STATE, OUT_OF_SERVICE)


def object_name(type: int, instance: int) -> str:
    """As templates spell it: "analog-input,3"."""
    return f"{TYPE_NAMES.get(type, type)},{instance}"


def property_name(property: int) -> str:
    return PROPERTY_NAMES.get(property, str(property))

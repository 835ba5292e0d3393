"""What bacpypes3 raises and what devices answer, as our errors and refusals."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (the library is typed in parts)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bacpypes3 import apdu as library
from bacpypes3 import comm, errors
from bacpypes3.basetypes import ErrorCode
from bacpypes3.ipv4.bvll import Result

from controller.core.errors import ConnectFailed, DeviceError, DeviceTimeout, ProtocolViolation
from drivers.bacnet.wire import Garbled, Kind, Refusal, Refused, values_of

# Bounds what a device may write into our texts.
_LONGEST_CAUSE: Final = 200
# Clauses 18.9 and 18.10: reasons of rejects and aborts.
_REJECT_BUFFER_OVERFLOW: Final = 1
_REJECT_UNKNOWN_SERVICE: Final = 9
_ABORTS_TOO_LONG: Final = frozenset({1, 4, 9, 11})  # buffer overflow, segmentation, out of resources, too long
# What has nothing to do with the request: out of turn, security, no time, no time either.
_ABORTS_BUSY: Final = frozenset({2, 3, 5, 6, 8, 10})
_OPTIONAL_FUNCTION_MISSING: Final = 45
# Configuration in progress, device busy, busy, communication disabled: other errors may be one value's fault.
_ERRORS_BUSY: Final = frozenset({2, 3, 82, 83})


class Silence(DeviceTimeout):
    """One device did not answer, or there is no way to it."""


# Every exception class of bacpypes3 and what it is to us; a test compares this with the library. Errors, rejects and
# aborts are not in it: they are a device's answer, and become a Refusal.
LIBRARY_ERRORS: Final[Mapping[type[BaseException], type[DeviceError]]] = {
    comm.ConfigurationError: ProtocolViolation,
    errors.ConfigurationError: ProtocolViolation,
    errors.EncodingError: ProtocolViolation,
    errors.DecodingError: ProtocolViolation,
    errors.ExecutionError: ProtocolViolation,
    errors.ObjectError: ProtocolViolation,
    errors.PropertyError: ProtocolViolation,
    errors.ServicesError: ProtocolViolation,
    errors.CommuncationError: Silence,
    errors.NetworkDown: Silence,
    errors.UnknownDevice: Silence,
    errors.UnknownRoute: Silence,
    errors.UnknownNetworkMessage: Silence,
    errors.RejectException: ProtocolViolation,
    errors.AbortException: ProtocolViolation,
    Result: ConnectFailed,
}


def ours(link: str, operation: str, error: BaseException) -> DeviceError:
    """The one place where the library's exceptions become ours."""
    kind = next(LIBRARY_ERRORS[each] for each in type(error).__mro__ if each in LIBRARY_ERRORS)
    if isinstance(error, errors.UnknownRoute):
        return kind(link, operation, "no router to its network")
    cause = str(error)[:_LONGEST_CAUSE] or type(error).__name__
    return kind(link, operation, cause)


def reply(answer: Any) -> bytes | Refusal:
    """What an acknowledgement carries; an error, reject or abort in words (clause 18)."""
    match answer:
        case library.SimpleAckPDU():
            return b""
        case library.ComplexAckPDU():
            return bytes(answer.pduData)
        case library.RejectPDU():
            reason = answer.apduAbortRejectReason
            code = int(reason)
            too_long, unknown = code == _REJECT_BUFFER_OVERFLOW, code == _REJECT_UNKNOWN_SERVICE
            return Refusal(f"rejected: {library.RejectReason(reason)}", too_long, unknown)
        case library.AbortPDU():
            reason = answer.apduAbortRejectReason
            code = int(reason)
            text = f"aborted: {library.AbortReason(reason)}"
            return Refusal(text, too_long=code in _ABORTS_TOO_LONG, busy=code in _ABORTS_BUSY)
        case _:
            return _error(bytes(answer.pduData))


def _error(data: bytes) -> Refusal:
    try:
        codes = [raw.value for raw in values_of(data) if raw.kind is Kind.ENUMERATED]
    except Garbled as error:
        return Refusal(f"garbled answer: {error}")
    match codes:
        case [int(error_class), int(error_code), *_]:
            return refusal(Refused(error_class, error_code))
        case _:
            return Refusal("refused without a reason")


def refusal(error: Refused) -> Refusal:
    """An error in words (clause 18)."""
    unknown_service = error.error_code == _OPTIONAL_FUNCTION_MISSING
    busy = error.error_code in _ERRORS_BUSY
    return Refusal(f"refused: {ErrorCode(error.error_code)}", False, unknown_service, busy, error)

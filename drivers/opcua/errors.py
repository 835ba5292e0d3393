"""What asyncua raises and what servers answer instead of an answer, in our own words."""

from __future__ import annotations

import struct
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from asyncua.common.utils import NotEnoughData, ServiceError, SocketClosedException
from asyncua.ua.uaerrors import (
    UaError,
    UaInvalidParameterError,
    UaStatusCodeError,
    UaStringParsingError,
    UaStructParsingError,
)
from cryptography.exceptions import InvalidSignature

from controller.core.errors import ConnectFailed, DeviceError, DeviceRefused, DeviceTimeout, ProtocolViolation
from drivers.opcua.certificates import NotUsable, NotYet
from drivers.opcua.codec import LONGEST_TEXT, status_name

# What asyncua is made to raise by bytes that are no OPC UA.
GARBLED: Final = (
    struct.error,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
)


# Every error of asyncua's own that carries no status code, and what it is to us; a test compares this with the
LIBRARY_ERRORS: Final[Mapping[type[UaError], type[DeviceError]]] = {
    UaError: ProtocolViolation,
    UaStringParsingError: ProtocolViolation,
    UaStructParsingError: ProtocolViolation,
    UaInvalidParameterError: ProtocolViolation,
    NotEnoughData: ProtocolViolation,
    SocketClosedException: ConnectFailed,
}

# Those that do carry one are told apart by the name of the status (OPC UA Part 4, 7.39). These need a person: wrong
# user or password, a certificate that is not accepted, a security that the server does not want.
NEEDS_A_PERSON: Final = frozenset(
    {
        "BadUserAccessDenied",
        "BadIdentityTokenInvalid",
        "BadIdentityTokenRejected",
        "BadIdentityChangeNotSupported",
        "BadUserSignatureInvalid",
        "BadApplicationSignatureInvalid",
        "BadNoValidCertificates",
        "BadSecurityChecksFailed",
        "BadSecurityPolicyRejected",
        "BadSecurityModeRejected",
        "BadSecurityModeInsufficient",
        "BadProtocolVersionUnsupported",
        "BadTcpEndpointUrlInvalid",
        "BadServerUriInvalid",
        "BadServerNameMissing",
        "BadLicenseExpired",
        "BadLicenseNotAvailable",
        "BadPasswordChangeRequired",
        "BadAccountLocked",
    }
)
# We know that our certificate holds: the server's clock may be wrong, as after a power cut, or an authority be away.
_HEALS: Final = frozenset(
    {
        "BadCertificateTimeInvalid",
        "BadCertificateIssuerTimeInvalid",
        "BadCertificateRevocationUnknown",
        "BadCertificateIssuerRevocationUnknown",
    }
)
# What the commonest of them mean for who has to mend it.
_ADVICE: Final = {
    "BadUserAccessDenied": "user or password is wrong",
    "BadIdentityTokenRejected": "user or password is wrong",
    "BadIdentityTokenInvalid": "the server wants another kind of login",
    "BadCertificateUntrusted": "have the server trust our certificate",
    "BadSecurityChecksFailed": "have the server trust our certificate",
    "BadCertificateTimeInvalid": "the server's clock says that our certificate does not hold",
    "BadCertificateUriInvalid": "application_uri is not the one in the certificate",
    "BadSecurityModeRejected": "the server wants another security",
    "BadSecurityPolicyRejected": "the server wants another security",
    "BadSecurityModeInsufficient": "the server wants more security",
}
_TIMED_OUT: Final = frozenset({"BadTimeout", "BadRequestTimeout"})
_LOST: Final = frozenset(
    {
        "BadCommunicationError",
        "BadConnectionClosed",
        "BadConnectionRejected",
        "BadDisconnect",
        "BadEndOfStream",
        "BadMaxConnectionsReached",
        "BadNotConnected",
        "BadSecureChannelClosed",
        "BadSecureChannelIdInvalid",
        "BadSecureChannelTokenUnknown",
        "BadServerHalted",
        "BadServerNotConnected",
        "BadServerTooBusy",
        "BadSessionClosed",
        "BadSessionIdInvalid",
        "BadSessionNotActivated",
        "BadShutdown",
        "BadTooManySessions",
        "BadUnknownResponse",
        "BadTcpServerTooBusy",
        "BadTcpSecureChannelUnknown",
        "BadTcpNotEnoughResources",
        "BadTcpInternalError",
        "BadTcpMessageTypeInvalid",
        "BadTcpMessageTooLarge",
    }
)


class Refused(Exception):
    """The server answered a request as a whole with a bad status; the session lives."""

    def __init__(self, status: str) -> None:
        self.status = status
        super().__init__(status)


class Garbled(Exception):
    """An answer that came whole and cannot be read; the session lives."""


def kind_of_status(name: str) -> type[DeviceError]:
    """What a service that fails with this status is to us."""
    if name in _HEALS:
        return ConnectFailed
    if name in NEEDS_A_PERSON or name.startswith("BadCertificate"):
        return DeviceRefused
    if name in _TIMED_OUT:
        return DeviceTimeout
    return ConnectFailed if name in _LOST else ProtocolViolation


def our_error(link: str, operation: str, error: BaseException) -> DeviceError:
    """The one place where the library's exceptions become ours."""
    if isinstance(error, TimeoutError):
        return DeviceTimeout(link, operation, "no answer")
    if isinstance(error, UaStatusCodeError | ServiceError):
        name = status_name(error.code or 0)
        advice = _ADVICE.get(name)
        return kind_of_status(name)(link, operation, f"{advice} ({name})" if advice else name)
    if isinstance(error, NotYet):
        return ConnectFailed(link, operation, str(error))
    if isinstance(error, NotUsable):
        return DeviceRefused(link, operation, str(error))
    said = str(error)[:LONGEST_TEXT]
    if isinstance(error, UaError):
        return LIBRARY_ERRORS.get(type(error), ProtocolViolation)(link, operation, said)
    if isinstance(error, InvalidSignature):
        return DeviceRefused(link, operation, "the server cannot prove that its certificate is its own")
    if isinstance(error, OSError):
        return ConnectFailed(link, operation, error.strerror or said or "connection lost")
    return ProtocolViolation(link, operation, f"garbled answer: {type(error).__name__}")


@contextmanager
def told_as_ours(link: str, operation: str) -> Generator[None]:
    try:
        yield
    except DeviceError:
        raise
    except (UaError, ServiceError, InvalidSignature, OSError, *GARBLED) as error:
        raise our_error(link, operation, error) from error

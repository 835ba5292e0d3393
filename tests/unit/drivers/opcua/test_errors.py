"""asyncua, tamed: nothing that it raises gets past."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest
from asyncua.common.utils import ServiceError
from asyncua.ua.status_codes import code_to_name_doc
from asyncua.ua.uaerrors import UaError, UaStatusCodeError
from cryptography.exceptions import InvalidSignature

from controller.core.errors import ConnectFailed, DeviceError, DeviceRefused, DeviceTimeout, ProtocolViolation
from drivers.opcua.certificates import NotUsable, NotYet
from drivers.opcua.errors import LIBRARY_ERRORS, kind_of_status, our_error


def derived_from(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(derived_from(each) for each in kind.__subclasses__()))


def test_every_exception_of_the_library_is_mapped() -> None:
    for module in ("client", "common", "crypto", "ua"):
        package = importlib.import_module(f"asyncua.{module}")
        for each in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(each.name)
    with_status = derived_from(UaStatusCodeError) | derived_from(ServiceError)
    there = {each for each in derived_from(UaError) - with_status if not each.__module__.startswith("asyncua.server.")}
    assert there == set(LIBRARY_ERRORS)


@pytest.mark.parametrize("code", [code for code, (name, _) in code_to_name_doc.items() if name.startswith("Bad")])
def test_every_status_of_a_failed_service_becomes_ours(code: int) -> None:
    errors: list[Exception] = [UaStatusCodeError(code), ServiceError(code)]
    for error in errors:
        ours = our_error("link", "connect", error)
        assert type(ours) is kind_of_status(code_to_name_doc[code][0])
        assert code_to_name_doc[code][0] in ours.cause


@pytest.mark.parametrize(
    "status, kind",
    [
        ("BadUserAccessDenied", DeviceRefused),
        ("BadIdentityTokenRejected", DeviceRefused),
        ("BadCertificateUseNotAllowed", DeviceRefused),
        ("BadCertificateTimeInvalid", ConnectFailed),
        ("BadCertificateUntrusted", DeviceRefused),
        ("BadCertificateRevoked", DeviceRefused),
        ("BadSecurityPolicyRejected", DeviceRefused),
        ("BadTooManySessions", ConnectFailed),
        ("BadServerHalted", ConnectFailed),
        ("BadSessionIdInvalid", ConnectFailed),
        ("BadTcpServerTooBusy", ConnectFailed),
        ("BadTimeout", DeviceTimeout),
        ("BadServiceUnsupported", ProtocolViolation),
        ("BadInternalError", ProtocolViolation),
        ("BadNobodyKnows", ProtocolViolation),
    ],
)
def test_what_needs_a_person_is_told_from_what_heals(status: str, kind: type[DeviceError]) -> None:
    assert kind_of_status(status) is kind


@pytest.mark.parametrize(
    "error, kind, cause",
    [
        (TimeoutError(), DeviceTimeout, "no answer"),
        (ConnectionRefusedError(111, "Connection refused"), ConnectFailed, "Connection refused"),
        (ConnectionError("Connection is closed"), ConnectFailed, "Connection is closed"),
        (InvalidSignature(), DeviceRefused, "the server cannot prove that its certificate is its own"),
        (NotUsable("the private key is none"), DeviceRefused, "the private key is none"),
        (NotYet("holds from tomorrow"), ConnectFailed, "holds from tomorrow"),
        (UaError("x" * 10_000), ProtocolViolation, "x" * 200),
        (KeyError("x"), ProtocolViolation, "garbled answer: KeyError"),
    ],
)
def test_other_errors_become_ours_and_are_bounded(error: Exception, kind: type[DeviceError], cause: str) -> None:
    ours = our_error("link", "read", error)
    assert (type(ours), ours.cause) == (kind, cause)


def test_the_library_is_loaded_only_where_a_link_is_opened() -> None:
    """It costs 77 MB."""
    code = (
        "import sys; from drivers import driver_kind; driver_kind('opcua');"
        "print([name for name in ('asyncua', 'cryptography') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"

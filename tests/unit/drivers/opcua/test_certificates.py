"""Whose certificate it is, whether it still holds, and whether we trust it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from drivers.opcua.certificates import (
    REJECTED,
    NotUsable,
    application_uri,
    is_trusted,
    keep_rejected,
    make_identity,
    own_identity,
    self_signed,
    server_certificate,
    thumbprint,
    trusted_certificates,
)

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OWN = self_signed(KEY, "urn:host:tidewatt", "host", NOW, LATER)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def key_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def issued_by(authority: rsa.RSAPrivateKey, issuer: x509.Certificate) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plc")]))
        .issuer_name(issuer.subject)
        .public_key(OTHER_KEY.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(LATER)
        .sign(authority, hashes.SHA256())
    )


def authority(*, ca: bool) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(LATER)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(KEY, hashes.SHA256())
    )


def test_an_identity_is_made_and_works(tmp_path: Path) -> None:
    certificate, key = tmp_path / "opcua.pem", tmp_path / "opcua.key.pem"
    make_identity(certificate, key, "host", NOW)
    assert key.stat().st_mode & 0o777 == 0o600
    identity = own_identity(certificate.read_text(), key.read_text(), NOW + timedelta(days=3000))
    assert identity.application_uri == "urn:host:tidewatt"
    with pytest.raises(FileExistsError):
        make_identity(certificate, key, "host", NOW)


def test_our_certificate_names_the_application_and_the_host() -> None:
    names = OWN.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert application_uri(OWN) == "urn:host:tidewatt"
    assert names.get_values_for_type(x509.DNSName) == ["host"]


@pytest.mark.parametrize(
    "certificate, key, at, why",
    [
        (pem(OWN), key_pem(KEY), LATER + timedelta(seconds=1), "our own certificate expired on 2026-07-31"),
        (pem(OWN), key_pem(KEY), NOW - timedelta(days=2), "our own certificate holds from 2026-06-30 only"),
        (pem(OWN), key_pem(OTHER_KEY), NOW, "does not belong to the certificate"),
        (pem(OWN), "no key", NOW, "is no key in PEM"),
        ("no certificate", key_pem(KEY), NOW, "certificate cannot be read"),
    ],
)
def test_what_cannot_prove_who_we_are_is_told(certificate: str, key: str, at: datetime, why: str) -> None:
    with pytest.raises(NotUsable, match=why):
        own_identity(certificate, key, at)


def test_a_trust_list_is_text_and_files_of_either_kind(tmp_path: Path) -> None:
    other = self_signed(OTHER_KEY, "urn:plc", "plc", NOW, LATER)
    (tmp_path / "plc.der").write_bytes(der(other))
    (tmp_path / "notes.txt").write_text("who is who")
    (tmp_path / REJECTED).mkdir()
    assert trusted_certificates(pem(OWN), str(tmp_path)) == (OWN, other)
    (tmp_path / "plc.der").rename(tmp_path / REJECTED / "plc.der")
    assert trusted_certificates("", str(tmp_path)) == ()
    with pytest.raises(NotUsable, match="does not exist"):
        trusted_certificates("", str(tmp_path / "nowhere"))
    with pytest.raises(NotUsable, match="holds no certificate"):
        trusted_certificates("x", "")


def test_trusted_is_who_is_on_the_list_or_was_issued_by_an_authority_on_it() -> None:
    stranger = self_signed(OTHER_KEY, "urn:plc", "plc", NOW, LATER)
    assert is_trusted(OWN, [stranger, OWN], NOW)
    assert not is_trusted(stranger, [OWN], NOW)
    good, plain = authority(ca=True), authority(ca=False)
    issued, forged = issued_by(KEY, good), issued_by(OTHER_KEY, good)
    assert is_trusted(issued, [good], NOW)
    assert not is_trusted(issued, [plain], NOW)
    assert not is_trusted(issued, [good], LATER + timedelta(days=1))
    assert not is_trusted(forged, [good], NOW)


def test_of_a_chain_the_first_is_the_servers() -> None:
    other = self_signed(OTHER_KEY, "urn:plc", "plc", NOW, LATER)
    assert server_certificate(der(other) + der(OWN)) == other
    for nothing in (None, b"", b"\x30\x82", b"garbage"):
        with pytest.raises(NotUsable):
            server_certificate(nothing)


def test_a_rejected_certificate_waits_to_be_moved(tmp_path: Path) -> None:
    name = f"{thumbprint(OWN)}.der"
    assert keep_rejected(OWN, str(tmp_path)) == f"move rejected/{name} up into {tmp_path}"
    assert (tmp_path / REJECTED / name).read_bytes() == der(OWN)
    assert keep_rejected(OWN, "") == f"give the PEM of certificate {thumbprint(OWN)} as server_certificate"
    (tmp_path / "file").write_text("")
    assert keep_rejected(OWN, str(tmp_path / "file")).startswith(f"put certificate {thumbprint(OWN)} into")

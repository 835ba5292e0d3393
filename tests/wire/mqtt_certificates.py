"""Certificates for one test: an authority of its own, the broker's and the client's."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY: Final = timedelta(days=1)


class Certificates(NamedTuple):
    """Files in PEM. stranger: an authority that signed nobody."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    stranger: Path


class _Identity(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_certificates(folder: Path, *, expired: bool = False, not_yet: bool = False) -> Certificates:
    """expired: the broker's ended yesterday. not_yet: it begins tomorrow."""
    authority, stranger = _authority("test authority"), _authority("stranger")
    server = _signed("127.0.0.1", authority, ends_in=-_DAY if expired else 7 * _DAY, not_yet=not_yet)
    client = _signed("tidewatt", authority, ends_in=_DAY)
    made = Certificates(*(folder / f"{name}.pem" for name in Certificates._fields))
    for path, identity in ((made.ca, authority), (made.stranger, stranger), (made.server, server)):
        path.write_bytes(identity.certificate.public_bytes(serialization.Encoding.PEM))
    made.client.write_bytes(client.certificate.public_bytes(serialization.Encoding.PEM))
    for path, identity in ((made.server_key, server), (made.client_key, client)):
        path.write_bytes(
            identity.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return made


def _authority(name: str) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    builder = _builder(subject, subject, key, ends_in=_DAY)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return _Identity(builder.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key)


def _signed(name: str, authority: _Identity, *, ends_in: timedelta, not_yet: bool = False) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_named(name), authority.certificate.subject, key, ends_in=ends_in, not_yet=not_yet)
    if name[0].isdigit():
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))])
        builder = builder.add_extension(names, critical=False)
    return _Identity(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    ends_in: timedelta,
    not_yet: bool = False,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + (_DAY if not_yet else -7 * _DAY))
        .not_valid_after(now + ends_in)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

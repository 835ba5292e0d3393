"""Certificates of an OPC UA link: ours, the server's, and whether we trust it (OPC UA Part 4, 6.1; Part 6, 6.2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A trust list beyond this is some other folder.
_MOST_FILES: Final = 1000
_LARGEST_FILE: Final = 64_000
# Where a server's certificate waits to be moved into the trust list.
REJECTED: Final = "rejected"

_KEY_BITS: Final = 2048
# What is made for a plant must not end in the middle of a summer.
_LIFE: Final = timedelta(days=3650)
_BEGIN: Final = "-----BEGIN"


class NotUsable(ValueError):
    """A certificate or key that cannot serve; the text says why and what would be right."""


class NotYet(NotUsable):
    """A certificate that will hold later; or our clock is wrong, as on a machine that has just been switched on."""


class Identity(NamedTuple):
    """Our own certificate and the key that belongs to it, both DER. application_uri: as the certificate names it."""

    certificate: bytes
    private_key: bytes
    application_uri: str


def thumbprint(certificate: x509.Certificate) -> str:
    """As OPC UA tools show it: SHA-1, in hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()


# --- ours -------------------------------------------------------------------------------------------------------------


def own_identity(certificate: str, private_key: str, now: datetime) -> Identity:
    """From PEM text. Raises NotUsable."""
    own = _first(_certificates(certificate.encode()), "certificate")
    refuse_invalid(own, now, "our own certificate")
    try:
        key = serialization.load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise NotUsable("private_key is no key in PEM without a password; give the file that openssl wrote") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != own.public_key():
        raise NotUsable("private_key does not belong to the certificate; give the pair that was made together")
    return Identity(
        own.public_bytes(serialization.Encoding.DER),
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        application_uri(own),
    )


def application_uri(certificate: x509.Certificate) -> str:
    """The URI among the alternative names, which has to be the application's own; empty where there is none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return uris[0] if uris else ""


def refuse_invalid(certificate: x509.Certificate, now: datetime, whose: str) -> None:
    """Raises NotUsable or NotYet."""
    if now > certificate.not_valid_after_utc:
        raise NotUsable(f"{whose} expired on {certificate.not_valid_after_utc:%Y-%m-%d}; a new one is needed")
    if now < certificate.not_valid_before_utc:
        raise NotYet(f"{whose} holds from {certificate.not_valid_before_utc:%Y-%m-%d} only, or our clock is wrong")


def make_identity(certificate_file: Path, key_file: Path, host: str, now: datetime) -> None:
    """Write a self-signed certificate and its key, for the application urn:HOST:tidewatt, as PEM. Raises OSError.

    host: the name under which servers see this machine.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    certificate = self_signed(key, f"urn:{host}:tidewatt", host, now, now + _LIFE)
    key_file.touch(mode=0o600, exist_ok=False)
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def self_signed(key: rsa.RSAPrivateKey, uri: str, host: str, now: datetime, until: datetime) -> x509.Certificate:
    """With what OPC UA asks of an application's certificate (Part 6, 6.2.2)."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uri.rpartition(":")[2] or uri)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), x509.DNSName(host)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, until) - timedelta(days=1))  # a server's clock may be behind ours
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(purposes, critical=False)
        .add_extension(names, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


# --- the server's -----------------------------------------------------------------------------------------------------


def trusted_certificates(pem: str, folder: str) -> tuple[x509.Certificate, ...]:
    """What the connection trusts: PEM text, and the files of a folder (PEM or DER). Raises NotUsable, OSError."""
    stated = _certificates(pem.encode()) if pem else []
    if pem and not stated:
        raise NotUsable("server_certificate holds no certificate; give the PEM file of the server's")
    return (*stated, *(_of_folder(Path(folder)) if folder else ()))


def _of_folder(folder: Path) -> Iterable[x509.Certificate]:
    if not folder.is_dir():
        raise NotUsable(f"the folder of trusted certificates {folder} does not exist; make it")
    for file in sorted(folder.iterdir())[:_MOST_FILES]:
        if file.is_file() and file.stat().st_size <= _LARGEST_FILE:
            yield from _certificates(file.read_bytes())


def server_certificate(der: bytes | None) -> x509.Certificate:
    """The first certificate of what a server sent, which may be a chain. Raises NotUsable."""
    if not der:
        raise NotUsable("the server has no certificate; switch its security on")
    # A DER sequence says its own length in bytes 2 and 3 where it is longer than 255 bytes (ITU-T X.690, 8.1.3).
    size = int.from_bytes(der[2:4], "big") + 4
    return _first(_certificates(der[:size]), "the server's certificate")


def is_trusted(certificate: x509.Certificate, trusted: Sequence[x509.Certificate], now: datetime) -> bool:
    """Whether it is on the list, or issued by an authority that is."""
    return certificate in trusted or any(
        authority.not_valid_before_utc <= now <= authority.not_valid_after_utc and _issued(certificate, authority)
        for authority in trusted
    )


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        basic = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(authority)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        return False
    return basic.ca


def keep_rejected(certificate: x509.Certificate, folder: str) -> str:
    """Lay an untrusted certificate beside the trust list, so that a person can move it there; what to do, in words."""
    own_name = f"{thumbprint(certificate)}.der"
    if not folder:
        return f"give the PEM of certificate {thumbprint(certificate)} as server_certificate"
    rejected = Path(folder) / REJECTED
    try:
        rejected.mkdir(exist_ok=True)
        (rejected / own_name).write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    except OSError:
        return f"put certificate {thumbprint(certificate)} into {folder}"
    return f"move {REJECTED}/{own_name} up into {folder}"


def _certificates(content: bytes) -> list[x509.Certificate]:
    """Every certificate in PEM or DER; none where the file holds something else."""
    try:
        if _BEGIN.encode() in content:
            return x509.load_pem_x509_certificates(content)
        return [x509.load_der_x509_certificate(content)]
    except ValueError:
        return []


def _first(certificates: Sequence[x509.Certificate], what: str) -> x509.Certificate:
    if not certificates:
        raise NotUsable(f"{what} cannot be read; give a certificate in PEM")
    return certificates[0]

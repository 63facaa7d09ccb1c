"""The serving certificate: an authority and a key that never leave this process, renewed well before they expire."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=30)
RENEWED_BEFORE = timedelta(days=10)
AUTHORITY_LIFETIME = timedelta(days=3650)
CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, PEM, and the span in which it is to be used."""

    certificate: bytes
    key: bytes
    not_before: datetime
    not_after: datetime

    def due(self, now: datetime) -> bool:
        """Whether another one is to take its place: it expires soon, or the clock was set back to before it began."""
        return now < self.not_before or now > self.not_after - RENEWED_BEFORE


class ServingAuthority:
    """Signs certificates for one server's names. Made by `create`; it is as short-lived as the process."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, names: tuple[str, ...]) -> None:
        self._key = key
        self._certificate = certificate
        self._names = names

    @classmethod
    def create(cls, names: tuple[str, ...], now: datetime) -> Self:
        """An authority with a new key; `names` are DNS names, the first also the common name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Isthmus query API CA")])
        certificate = (
            _builder(subject, subject, key.public_key(), now, AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate, names)

    @property
    def bundle(self) -> bytes:
        """The authority's own certificate, PEM: what clients are to trust."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def covers(self, now: datetime) -> bool:
        """Whether a certificate issued now can be verified for all of its lifetime."""
        begin, end = self._certificate.not_valid_before_utc, self._certificate.not_valid_after_utc
        return begin <= now and now + LIFETIME <= end

    def issue(self, now: datetime) -> Issued:
        """A serving certificate with a new key."""
        key = ec.generate_private_key(ec.SECP256R1())
        # A common name has 64 characters at most; clients read the alternative names alone.
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._names[0][:64])])
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in self._names])
        authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _builder(subject, self._certificate.subject, key.public_key(), now, LIFETIME)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(alternatives, critical=False)
            .add_extension(authority_key, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Issued(
            certificate=certificate.public_bytes(serialization.Encoding.PEM),
            key=key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )

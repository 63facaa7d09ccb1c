"""The certificate authority of one cluster: server, part and client certificates."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = dt.timedelta(days=7)
CLOCK_SKEW = dt.timedelta(hours=1)
# As kubeadm makes them. An API server checks a client's certificate anew with each request: with keys on P-256 that was
# a twelfth of the processor time of one in a burst, with these it is half of that.
AUTHORITY_BITS = 2048
SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
SERVER_ADDRESSES = ("127.0.0.1", "10.96.0.1")


class Authority:
    """An authority; everything it signs lives for a week."""

    _key: rsa.RSAPrivateKey
    _certificate: x509.Certificate

    def __init__(self, name: str) -> None:
        """Makes a new key and a self-signed certificate for it."""
        self._key = rsa.generate_private_key(65537, AUTHORITY_BITS)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self._certificate = (
            _builder(subject, self._key.public_key())
            .issuer_name(subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @classmethod
    def of(cls, certificate: str, key: str) -> Self:
        """The authority that these belong to, both PEM; its key is RSA, as kubeadm makes it."""
        loaded = serialization.load_pem_private_key(key.encode(), None)
        if not isinstance(loaded, rsa.RSAPrivateKey):
            raise TypeError("the authority's key is not RSA")
        authority = cls.__new__(cls)
        authority._key = loaded  # noqa: SLF001 - this is a constructor
        authority._certificate = x509.load_pem_x509_certificate(certificate.encode())  # noqa: SLF001 - as above
        return authority

    @property
    def certificate(self) -> str:
        """The authority's own certificate, PEM."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key(self) -> str:
        """The authority's key, PEM, for the controller manager that signs in its name."""
        return private_pem(self._key)

    def server(self) -> tuple[str, str]:
        """A server's certificate for every name it has on this machine, and its key, PEM."""
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in SERVER_NAMES]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in SERVER_ADDRESSES]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
        return self._sign(subject, ExtendedKeyUsageOID.SERVER_AUTH, x509.SubjectAlternativeName(names))

    def client(self, user: str, groups: Sequence[str] = ()) -> tuple[str, str]:
        """A client's certificate and key, PEM: the common name is the user, each organisation a group."""
        attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, user))
        return self._sign(x509.Name(attributes), ExtendedKeyUsageOID.CLIENT_AUTH)

    def _sign(
        self, subject: x509.Name, usage: x509.ObjectIdentifier, *extensions: x509.ExtensionType
    ) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(subject, key.public_key())
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode(), private_pem(key)


def private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """A key as the Kubernetes parts read it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def signing_key() -> str:
    """A key that signs service-account tokens, PEM; the API server derives the public half itself."""
    return private_pem(ec.generate_private_key(ec.SECP256R1()))


def write_pair(directory: Path, name: str, pair: tuple[str, str]) -> None:
    """Writes NAME.crt and NAME.key, the latter for its owner only."""
    (directory / f"{name}.crt").write_text(pair[0])
    write_secret(directory / f"{name}.key", pair[1])


def write_secret(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, from its first byte on."""
    path.touch(mode=0o600)
    path.write_text(text)


def _builder(subject: x509.Name, public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
    )

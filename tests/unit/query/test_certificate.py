import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from isthmus.hub.query.certificate import AUTHORITY_LIFETIME, LIFETIME, RENEWED_BEFORE, ServingAuthority
from isthmus.hub.query.listener import context_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("isthmus-query.isthmus-system.svc", "isthmus-query.isthmus-system.svc.cluster.local")


def test_certificate_is_of_the_service() -> None:
    """The certificate has the Service's names, a key on P-256, serves and nothing else, and is the authority's."""
    authority = ServingAuthority.create(NAMES, NOW)
    issued = authority.issue(NOW)
    (found,) = x509.load_pem_x509_certificates(issued.certificate)
    (signer,) = x509.load_pem_x509_certificates(authority.bundle)
    assert tuple(found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) == tuple(
        x509.DNSName(name) for name in NAMES
    )
    key = found.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.SERVER_AUTH
    ]
    found.verify_directly_issued_by(signer)
    assert context_of(issued, authority.bundle.decode()).verify_mode is ssl.CERT_OPTIONAL


def test_certificate_is_renewed_well_before_it_expires() -> None:
    """It is due ten days before its end, and when the clock turns out to have been wrong."""
    issued = ServingAuthority.create(NAMES, NOW).issue(NOW)
    end = NOW + LIFETIME
    assert not issued.due(NOW)
    assert not issued.due(end - RENEWED_BEFORE - timedelta(minutes=1))
    assert issued.due(end - RENEWED_BEFORE + timedelta(minutes=1))
    assert issued.due(NOW - timedelta(days=1))


def test_authority_that_would_not_last() -> None:
    """An authority signs nothing that outlives it."""
    authority = ServingAuthority.create(NAMES, NOW)
    assert authority.covers(NOW)
    assert not authority.covers(NOW + AUTHORITY_LIFETIME - LIFETIME + timedelta(hours=1))
    assert not authority.covers(NOW - timedelta(days=1))


def test_long_names() -> None:
    """A Service's name may be longer than a common name is."""
    name = f"{'a' * 63}.{'b' * 63}.svc"
    (found,) = x509.load_pem_x509_certificates(ServingAuthority.create((name,), NOW).issue(NOW).certificate)
    assert x509.DNSName(name) in found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

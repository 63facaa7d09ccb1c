"""Tariffs as the ledger keeps them: by digest, never changed, so that what was read once is kept."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from isthmus.api.computenode import Identity, Tariff
from isthmus.errors import LedgerError
from isthmus.settlement.tariff import canonical_tariff, tariff_digest

from .schema import tariffs
from .standings import chunks


@dataclass(frozen=True, slots=True)
class PriceList:
    """A tariff and the identity of the node that it belongs to."""

    tariff: Tariff
    identity: Identity


class PriceLists:
    """The tariffs of a ledger, each read once."""

    def __init__(self) -> None:
        self._known: dict[str, PriceList] = {}

    def __contains__(self, digest: str) -> bool:
        return digest in self._known

    def record(self, connection: Connection, tariff: Tariff, node: str, identity: Identity) -> str:
        """Write the tariff where it is not there, and return its digest."""
        digest = tariff_digest(tariff, node, identity.code)
        if digest not in self.known(connection, [digest]):
            connection.execute(
                insert(tariffs).values(
                    digest=digest,
                    node=node,
                    identity_code=identity.code,
                    identity_issuer=identity.issuer,
                    identity_scheme=identity.scheme,
                    version=tariff.version,
                    currency=tariff.currency,
                    canonical=canonical_tariff(tariff, node, identity.code),
                )
            )
        return digest

    def known(self, connection: Connection, digests: Iterable[str | None]) -> Mapping[str, PriceList]:
        """The tariffs of those digests that the ledger holds, and any others.

        Raises LedgerError where one was altered.
        """
        missing = sorted({digest for digest in digests if digest is not None} - self._known.keys())
        for chunk in chunks(missing):
            for row in connection.execute(select(tariffs).where(tariffs.c.digest.in_(chunk))):
                if hashlib.sha256(row.canonical.encode()).hexdigest() != row.digest:
                    raise LedgerError(f"tariff {row.digest} of {row.node} was altered", "restore it from a backup")
                self._known[row.digest] = PriceList(
                    Tariff.model_validate_json(row.canonical),
                    Identity(code=row.identity_code, issuer=row.identity_issuer, scheme=row.identity_scheme),
                )
        return self._known

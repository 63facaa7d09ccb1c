"""Settlements: keeps each one's totals in step with the ledger."""

from collections.abc import Callable
from datetime import datetime

from isthmus.agent import timestamp
from isthmus.api.conditions import Condition, truncated, with_condition
from isthmus.api.core import Manifest
from isthmus.api.reference import reference
from isthmus.api.settlement import MeterTotal, Settlement, SettlementStatus
from isthmus.clusters import SETTLEMENTS, KubernetesApi, NotFound, WorkQueue
from isthmus.settlement.money import amount_text
from isthmus.settlement.statement import Statement

from .booking import Booking
from .events import EventWriter
from .jobstatus import merge_patch

# Bookings come in streams; totals follow them at this distance.
FOLLOW_SECONDS = 2.0


class Settlements:
    """All Settlements by UID. `account_of` gives a namespace's account."""

    def __init__(
        self,
        hub: KubernetesApi,
        booking: Booking,
        events: EventWriter,
        *,
        currency: str,
        account_of: Callable[[str], str],
        now: Callable[[], datetime],
    ) -> None:
        self._hub = hub
        self._booking = booking
        self._events = events
        self._currency = currency
        self._account_of = account_of
        self._now = now
        self._settlements: dict[str, Settlement] = {}
        self.queue: WorkQueue[str] = WorkQueue(self._reconcile, name="settlements", workers=4, about=self._about)

    def observed(self, body: Manifest, *, gone: bool) -> None:
        """A watch showed the Settlement, or its end."""
        settlement = Settlement.model_validate(body)
        uid = settlement.metadata["uid"]
        if gone:
            self._settlements.pop(uid, None)
            return
        known = self._settlements.get(uid)
        if known is None or int(known.metadata["resourceVersion"]) < int(settlement.metadata["resourceVersion"]):
            self._settlements[uid] = settlement
        if known is None or known.spec != settlement.spec:
            self.queue.add(uid)

    def _about(self, uid: str) -> dict[str, str]:
        known = self._settlements.get(uid)
        return reference("Settlement", known.metadata if known is not None else {"uid": uid})

    def booked(self, account: str) -> None:
        """Something was booked for the account."""
        for uid, settlement in self._settlements.items():
            if settlement.spec.party == "Node" or self._account_of(settlement.metadata["namespace"]) == account:
                self.queue.add(uid, FOLLOW_SECONDS)

    async def _reconcile(self, uid: str) -> float | None:
        settlement = self._settlements.get(uid)
        if settlement is None:
            return None
        namespace, name = settlement.metadata["namespace"], settlement.metadata["name"]
        account = self._account_of(namespace)
        new = settlement.status
        if settlement.spec.currency == self._currency:
            statement = await self._read(settlement, account)
            new = _totals(new, statement, account)
            condition = (
                "True",
                "Current",
                f"{len(statement.lines)} lines, {statement.unpriced} of them without a price",
            )
        else:
            message = f"the hub bills in {self._currency}; make a Settlement with spec.currency {self._currency}"
            condition = ("False", "CurrencyMismatch", message)
        new = self._with_current(settlement, new, condition)
        patch = merge_patch(settlement.status.to_manifest(), new.to_manifest())
        if not patch:
            return None
        patch["updatedAt"] = timestamp(self._now())
        body = {"metadata": {"uid": uid}, "status": patch}
        try:
            answer = await self._hub.patch(SETTLEMENTS, name, namespace, body, subresource="status")
        except NotFound:
            return None
        self._events.of_object("Settlement", settlement.metadata, settlement.status.conditions, new.conditions)
        self.observed(answer, gone=False)
        return None

    async def _read(self, settlement: Settlement, account: str) -> Statement:
        spec = settlement.spec
        start, end = (datetime.fromisoformat(text) for text in (spec.period.start, spec.period.end))
        node = spec.node if spec.party == "Node" else None
        return await self._booking.statement(
            lambda ledger: ledger.statement(
                account=None if node else account, node=node, start=start, end=end, currency=spec.currency
            )
        )

    def _with_current(
        self, settlement: Settlement, status: SettlementStatus, verdict: tuple[str, str, str]
    ) -> SettlementStatus:
        condition = Condition(
            type="Current",
            status="True" if verdict[0] == "True" else "False",
            observed_generation=settlement.metadata.get("generation", 0),
            last_transition_time=timestamp(self._now()) or "",
            reason=verdict[1],
            message=truncated(verdict[2]),
        )
        return status.model_copy(
            update={
                "observed_generation": settlement.metadata.get("generation", 0),
                "phase": "Open",
                "conditions": with_condition(status.conditions, condition),
            }
        )


def _totals(status: SettlementStatus, statement: Statement, account: str) -> SettlementStatus:
    meters = [
        MeterTotal(
            meter=each.meter,
            model=each.model,
            quantity=each.quantity,
            amount=None if each.amount is None else amount_text(each.amount),
        )
        for each in statement.meters
    ]
    return status.model_copy(
        update={
            "account": account if statement.node is None else "",
            "total": f"{statement.total:f}",
            "lines": len(statement.lines),
            "unpriced_lines": statement.unpriced,
            "meters": meters[:64],
        }
    )

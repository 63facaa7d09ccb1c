"""Settlement: the bill of one account or node for one period."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from .conditions import Conditions
from .model import Amount, Currency, Model, Timestamp, rules


class Period(Model):
    """Half-open: from `start` up to, and without, `end`."""

    model_config = ConfigDict(
        json_schema_extra=rules(("self.start < self.end", "period.start must be before period.end"))
    )

    start: Timestamp
    end: Timestamp


class SettlementSpec(Model):
    """What is to be settled."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("self.party == oldSelf.party", "party is immutable; make a new Settlement"),
            ("self.period == oldSelf.period", "period is immutable; make a new Settlement"),
            ("self.currency == oldSelf.currency", "currency is immutable; make a new Settlement"),
            ("(self.party == 'Node') == has(self.node)", "set node exactly where party is Node"),
            (
                "has(self.node) == has(oldSelf.node) && (!has(self.node) || self.node == oldSelf.node)",
                "node is immutable; make a new Settlement",
            ),
        )
    )

    party: Annotated[
        Literal["Account", "Node"],
        Field(description="Account: what the namespace's account owes. Node: its income."),
    ] = "Account"
    node: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    period: Period
    currency: Currency


class MeterTotal(Model):
    """The sum of one meter over all lines."""

    meter: Annotated[str, Field(max_length=32)]
    model: Annotated[str, Field(max_length=128)] = ""
    quantity: Annotated[int, Field(ge=0)]
    amount: Amount | None = None


class SettlementStatus(Model):
    """What the ledger says so far."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    phase: Literal["Open"] | None = None
    account: Annotated[str, Field(max_length=63)] = ""
    total: Amount | None = None
    lines: Annotated[int, Field(ge=0)] = 0
    unpriced_lines: Annotated[int, Field(ge=0)] = 0
    meters: Annotated[list[MeterTotal], Field(max_length=64, default_factory=list)]
    updated_at: Timestamp | None = None
    conditions: Annotated[Conditions, Field(default_factory=list)]


class Settlement(Model):
    """The bill of one account or node for one period."""

    metadata: dict[str, Any]
    spec: SettlementSpec
    status: Annotated[SettlementStatus, Field(default_factory=SettlementStatus)]

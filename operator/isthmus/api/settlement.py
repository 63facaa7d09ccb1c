"""Settlement: the bill of one account or node for one period."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from .conditions import Conditions
from .model import LIST_ATOMIC, Amount, Currency, Model, NodeName, Timestamp, rules


class Period(Model):
    """Half-open: from `start` up to, and without, `end`."""

    model_config = ConfigDict(json_schema_extra=rules(("self.start < self.end", "end must be after start", ".end")))

    start: Annotated[Timestamp, Field(description="The first instant of it.")]
    end: Annotated[Timestamp, Field(description="The first instant after it.")]


class SettlementSpec(Model):
    """What is to be settled."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("self.party == oldSelf.party", "party is immutable; make a new Settlement", ".party"),
            ("self.period == oldSelf.period", "period is immutable; make a new Settlement", ".period"),
            ("self.currency == oldSelf.currency", "currency is immutable; make a new Settlement", ".currency"),
            ("(self.party == 'Node') == has(self.node)", "set node exactly where party is Node", ".node"),
            (
                "has(self.node) == has(oldSelf.node) && (!has(self.node) || self.node == oldSelf.node)",
                "node is immutable; make a new Settlement",
                ".node",
            ),
        )
    )

    party: Annotated[
        Literal["Account", "Node"],
        Field(description="Account: what the namespace's account owes. Node: its income."),
    ] = "Account"
    node: Annotated[NodeName, Field(description="The ComputeNode whose income it is.")] | None = None
    period: Annotated[Period, Field(description="Which readings it takes in.")]
    currency: Annotated[Currency, Field(description="ISO 4217 code of its amounts, such as CNY.")]


class MeterTotal(Model):
    """The sum of one meter over all lines."""

    meter: Annotated[str, Field(max_length=32, description="What is counted, such as MillicoreSeconds.")]
    model: Annotated[str, Field(max_length=128, description="The accelerator, where the meter is of one.")] = ""
    quantity: Annotated[int, Field(ge=0, description="Whole units of the meter.")]
    amount: Annotated[Amount, Field(description="What it comes to; unset where a price is missing.")] | None = None


class SettlementStatus(Model):
    """What the ledger says so far."""

    observed_generation: Annotated[int, Field(ge=0, description="The metadata.generation this speaks of.")] = 0
    phase: Annotated[Literal["Open"], Field(description="Open takes in readings.")] | None = None
    account: Annotated[str, Field(max_length=63, description="Whose bill it is.")] = ""
    total: (
        Annotated[Amount, Field(description="The sum of all priced lines, to the currency's smallest coin.")] | None
    ) = None
    lines: Annotated[int, Field(ge=0, description="How many lines the statement has.")] = 0
    unpriced_lines: Annotated[int, Field(ge=0, description="Lines that no price was in force for.")] = 0
    meters: Annotated[
        list[MeterTotal],
        Field(max_length=64, default_factory=list, json_schema_extra=LIST_ATOMIC, description="Sums by meter."),
    ]
    updated_at: Annotated[Timestamp, Field(description="When the ledger was last read.")] | None = None
    conditions: Annotated[Conditions, Field(default_factory=list)]


class Settlement(Model):
    """The bill of one account or node for one period."""

    metadata: dict[str, Any]
    spec: SettlementSpec
    status: Annotated[SettlementStatus, Field(default_factory=SettlementStatus)]

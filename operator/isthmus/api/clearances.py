"""Which data may be where: what a member is cleared for, and what a job's data asks for."""

from typing import Annotated

from pydantic import ConfigDict, Field

from .model import LIST_ATOMIC, LIST_SET, Model, NodeName, Quantity, RegionCode, rules

INPUTS = 32
Word = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$")]


class Clearances(Model):
    """What data a member may hold. What is not named here it is not cleared for."""

    classifications: Annotated[
        list[Word],
        Field(
            max_length=32,
            default_factory=list,
            json_schema_extra=LIST_SET,
            description="Data classes, each by its name: none includes another.",
        ),
    ]
    jurisdictions: Annotated[
        list[Word],
        Field(
            max_length=64,
            default_factory=list,
            json_schema_extra=LIST_SET,
            description="Jurisdictions whose data may be there, such as CN.",
        ),
    ]


class DataInput(Model):
    """Data that the job reads, and where it is."""

    model_config = ConfigDict(
        json_schema_extra=rules(("has(self.node) != has(self.region)", "name exactly one of node and region"))
    )

    node: Annotated[NodeName, Field(description="The ComputeNode that holds it.")] | None = None
    region: Annotated[RegionCode, Field(description="The region where it is.")] | None = None
    size: Annotated[Quantity, Field(description="How much of it is read, such as 500Gi.")]


class JobData(Model):
    """What the job's data asks of the place where it runs."""

    classification: Annotated[Word, Field(description="Its data class, for which the node must be cleared.")] | None = (
        None
    )
    residency: Annotated[
        list[Word],
        Field(
            max_length=64,
            default_factory=list,
            json_schema_extra=LIST_SET,
            description="Jurisdictions in which it may be, any of these; empty is any.",
        ),
    ]
    inputs: Annotated[
        list[DataInput],
        Field(
            max_length=INPUTS,
            default_factory=list,
            json_schema_extra=LIST_ATOMIC,
            description="What it reads: where most of it is counts for a node.",
        ),
    ]

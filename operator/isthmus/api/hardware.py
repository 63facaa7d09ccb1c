"""What hardware a job asks for: the accelerators that will do, and its variants, one for each kind of hardware."""

from typing import Annotated

from pydantic import Field

from .model import DNS_LABEL, LIST_SET, LabelKey, Model, NumberOrQuantity, Quantity, list_map

VARIANT_LIMIT = 8


class AcceleratorRequest(Model):
    """Which accelerators will do. How many, and under which resource name, the pod template says."""

    models: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=128)]],
        Field(
            max_length=32,
            default_factory=list,
            json_schema_extra=LIST_SET,
            description="Any of these; empty is any.",
        ),
    ]
    minimum_memory: Annotated[Quantity, Field(description="Memory of one accelerator, at least.")] | None = None
    partition_profile: Annotated[str, Field(min_length=1, max_length=63, description="Such as 1g.10gb.")] | None = None


class EnvironmentVariable(Model):
    """A variable with a value of its own."""

    name: Annotated[str, Field(min_length=1, max_length=253, description="The variable's name.")]
    value: Annotated[str, Field(max_length=4096, description="Its value.")] = ""


class Variant(Model):
    """One form of the job, for one kind of hardware: what it asks for, and how its pods differ from the template's.

    It changes the containers, init containers among them, that ask for accelerators in the template, else the first;
    or the one that `container` names.
    """

    name: Annotated[
        str, Field(min_length=1, max_length=63, pattern=DNS_LABEL, description="What it is called in all messages.")
    ]
    accelerator: Annotated[AcceleratorRequest, Field(description="Which accelerators will do.")] | None = None
    resources: (
        Annotated[
            dict[LabelKey, NumberOrQuantity],
            Field(
                max_length=16,
                description="What each container that it changes asks for: instead of all the template's extended"
                " resources, so that {} is none of them; cpu, memory and ephemeral-storage are the template's where not"
                " named. Absent is all as in the template.",
            ),
        ]
        | None
    ) = None
    image: (
        Annotated[str, Field(min_length=1, max_length=1024, description="Instead of the template's image.")] | None
    ) = None
    env: Annotated[
        list[EnvironmentVariable],
        Field(
            max_length=64,
            default_factory=list,
            json_schema_extra=list_map("name"),
            description="Added to the template's variables, instead of those of the same name.",
        ),
    ]
    container: (
        Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_LABEL, description="The one that it changes.")]
        | None
    ) = None

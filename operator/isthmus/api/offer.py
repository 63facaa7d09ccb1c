"""What a member lends of what it has: how much, when, to whom, and by which rules of its own."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from .model import (
    DNS_LABEL,
    DNS_SUBDOMAIN,
    LIST_SET,
    LabelKey,
    Labels,
    Model,
    NumberOrQuantity,
    list_map,
    rules,
)
from .profile import ShapeTaint

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""As `datetime.weekday` counts them."""

ShareAmount = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    Field(
        pattern=r"^((100|[1-9]?[0-9])%|[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)$",
        max_length=32,
        json_schema_extra={"x-kubernetes-int-or-string": True},
        description="A Kubernetes quantity, or a share of what is allocatable, such as 25%.",
    ),
]
Account = Annotated[str, Field(min_length=1, max_length=63)]
_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class Window(Model):
    """Hours in which the node takes new work. Where both times are the same it is a whole day."""

    days: Annotated[
        list[Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]],
        Field(
            max_length=7,
            default_factory=list,
            json_schema_extra=LIST_SET,
            description="Those on which it begins; empty is every day.",
        ),
    ]
    from_: Annotated[
        str, Field(alias="from", pattern=_TIME, max_length=5, description="When it begins, such as 20:00.")
    ]
    to: Annotated[
        str,
        Field(pattern=_TIME, max_length=5, description="When it ends, this not included; on the next day if earlier."),
    ]
    time_zone: Annotated[str, Field(min_length=1, max_length=64, description="Whose time it is, an IANA name.")] = "UTC"


class AccountSelector(Model):
    """Which accounts may use the node."""

    names: Annotated[
        list[Account],
        Field(max_length=256, default_factory=list, json_schema_extra=LIST_SET, description="These; empty is all."),
    ]
    except_: Annotated[
        list[Account],
        Field(
            alias="except",
            max_length=256,
            default_factory=list,
            json_schema_extra=LIST_SET,
            description="But not these.",
        ),
    ]


class ScalableShape(Model):
    """Machines that the member's autoscaler adds once pods wait for them."""

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_LABEL, description="For messages.")]
    allocatable: Annotated[
        dict[LabelKey, NumberOrQuantity],
        Field(min_length=1, max_length=32, description="What such a machine has for pods."),
    ]
    labels: Annotated[
        Labels, Field(default_factory=dict, description="Its labels, as far as they tell what it is and has.")
    ]
    taints: Annotated[
        list[ShapeTaint],
        Field(
            max_length=16,
            default_factory=list,
            json_schema_extra=list_map("key", "effect"),
            description="Its taints.",
        ),
    ]
    maximum: Annotated[
        int, Field(ge=1, le=10_000, description="How many there may be, those that are there already counted.")
    ]


class Offer(Model):
    """The terms on which the member lends its machines."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.labels) || self.labels.all(key, !key.startsWith('isthmus.dev/'))",
                "labels that begin with isthmus.dev/ are Isthmus' own; take a key of your own domain",
                ".labels",
            ),
        )
    )

    share: Annotated[
        dict[LabelKey, ShareAmount],
        Field(
            max_length=32,
            default_factory=dict,
            description="The most that work of this hub may hold there, by resource; of one not named all there is.",
        ),
    ]
    windows: Annotated[
        list[Window],
        Field(
            max_length=32,
            default_factory=list,
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
            description="When it takes new work; empty is always.",
        ),
    ]
    reclaim_notice_seconds: (
        Annotated[
            int,
            Field(
                ge=0,
                le=604_800,
                description="Seconds after the end of a window at which what runs is moved away, and before which work"
                " is told that it is preempted; if unset, what runs at the end of a window stays.",
            ),
        ]
        | None
    ) = None
    accounts: Annotated[AccountSelector, Field(description="Who may use it; all if unset.")] | None = None
    preemptible: Annotated[bool, Field(description="Whether work there may be preempted for other work.")] = True
    scalable: Annotated[
        list[ScalableShape],
        Field(
            max_length=16,
            default_factory=list,
            json_schema_extra=list_map("name"),
            description="What an autoscaler would add: room of last resort.",
        ),
    ]
    labels: Annotated[
        Labels,
        Field(
            default_factory=dict,
            description="Put on the Jobs there and their pods, such as kueue.x-k8s.io/queue-name.",
        ),
    ]
    scheduler_name: (
        Annotated[
            str, Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN, description="The scheduler of the pods.")
        ]
        | None
    ) = None

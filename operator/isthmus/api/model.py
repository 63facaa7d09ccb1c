"""The base of every API model, and the field types that several kinds share."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A frozen API object: camelCase outside, snake_case inside, unknown fields passed over.

    Unknown fields are passed over because an object may have been written under a newer CRD.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    def to_manifest(self) -> dict[str, Any]:
        """The JSON form: camelCase, without what is unset."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def list_map(*keys: str) -> dict[str, Any]:
    """Schema extension: a list that server-side apply merges by `keys`, which are unique in it."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


def rules(*pairs: tuple[str, str] | tuple[str, str, str]) -> dict[str, Any]:
    """Schema extension: CEL rules as (rule, message) or (rule, message, path of the field it names)."""
    keys = ("rule", "message", "fieldPath")
    return {"x-kubernetes-validations": [dict(zip(keys, pair, strict=False)) for pair in pairs]}


LIST_SET: dict[str, Any] = {"x-kubernetes-list-type": "set"}
LIST_ATOMIC: dict[str, Any] = {"x-kubernetes-list-type": "atomic"}
# Owned as a whole by who writes it: the API server then keeps no list of its fields, which every write would pay for.
MAP_ATOMIC: dict[str, Any] = {"x-kubernetes-map-type": "atomic"}
PRESERVE_UNKNOWN: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}

# A price or an amount: a plain decimal, never a float. An hour of all that a member can have fits at the dearest price.
Price = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,12})(\.[0-9]{1,12})?$", max_length=26)]
Amount = Annotated[str, Field(pattern=r"^-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,18})?$", max_length=50)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", max_length=3, description="ISO 4217 code, such as CNY.")]
Quantity = Annotated[
    str,
    Field(
        pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$",
        max_length=32,
        description="A Kubernetes quantity, such as 16Gi.",
    ),
]
# In lists by resource name numbers are as good, as they are in a pod's requests.
NumberOrQuantity = Annotated[
    Quantity,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    Field(
        json_schema_extra={"x-kubernetes-int-or-string": True}, description="A Kubernetes quantity, such as 16Gi or 8."
    ),
]
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, max_length=40)]
# RFC 3339 as Python reads it too: capitals, no leap second, at most microseconds.
Instant = Annotated[
    str,
    Field(
        pattern=r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,6})?"
        r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
        json_schema_extra={"format": "date-time"},
        max_length=40,
    ),
]
VALIDITY = (
    "!has(self.validFrom) || !has(self.validUntil) || self.validFrom < self.validUntil",
    "validUntil must be after validFrom",
    ".validUntil",
)
"""The rule of whatever is valid from an instant until another."""
RegionCode = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$")]

# As Kubernetes defines them; a key is an optional DNS subdomain, a slash and a name.
_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
LabelKey = Annotated[
    str, Field(min_length=1, max_length=317, pattern=rf"^([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}$")
]
LabelValue = Annotated[str, Field(max_length=63, pattern=rf"^({_NAME})?$")]
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=64)]
NodeName = Annotated[str, Field(min_length=1, max_length=50, pattern=DNS_LABEL)]

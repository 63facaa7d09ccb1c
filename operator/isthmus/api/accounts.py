"""The accounts' weights, quotas and ceilings, as whoever runs the hub writes them down: the content of its file."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from .model import Model, Price, Quantity

HALF_LIFE_SECONDS = 7 * 24 * 3600
LONGEST_HALF_LIFE_SECONDS = 366 * 24 * 3600
ACCOUNT_LIMIT = 4096
_FAULTS_TOLD = 16


def _worded(value: object) -> object:
    """The text of a whole number; a fraction would be a float, which is no exact number. An empty text is none."""
    if value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        raise ValueError("a number with a fraction must stand in quotes")  # noqa: TRY004 - pydantic tells of ValueErrors
    return value


AccountName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")]
_Model = Annotated[str, Field(min_length=1, max_length=128)]


class Strict(Model):
    """A group of settings; an unknown key is refused, so that no limit is lost to a slip of the pen."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Quota(Strict):
    """What of an account may run at once, over all nodes together. What is not named is not limited."""

    gpus: Annotated[
        dict[_Model, Annotated[int, Field(ge=0, le=1_000_000)]],
        Field(
            max_length=64,
            default_factory=dict,
            description="Accelerators by model, as jobs name it; `*` is all together. MODEL/PROFILE is one partition.",
        ),
    ]
    cores: Annotated[Quantity | None, BeforeValidator(_worded), Field(description="Cores that its pods request.")] = (
        None
    )
    memory: Annotated[Quantity | None, BeforeValidator(_worded), Field(description="Memory that they request.")] = None


class Account(Strict):
    """One account's part in the fleet, and its limits."""

    weight: Annotated[
        int, Field(ge=1, le=1_000_000, description="Its share of what is scarce, in proportion to those of others.")
    ] = 1
    quota: Annotated[Quota, Field(description="What of it may run at once.")] = Quota(gpus={})
    ceiling: Annotated[
        Price | None,
        BeforeValidator(_worded),
        Field(description="What may run at once by its price per hour, in the currency that the hub bills in."),
    ] = None


class AccountsConfig(Strict):
    """The file. Accounts that it does not name have what `default` says; a named one takes nothing from there."""

    half_life_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=LONGEST_HALF_LIFE_SECONDS,
            description="After so long what an account has used counts half in its share.",
        ),
    ] = HALF_LIFE_SECONDS
    default: Annotated[Account, Field(description="Of accounts that are not named.")] = Account()
    named: Annotated[
        dict[AccountName, Account],
        Field(max_length=ACCOUNT_LIMIT, default_factory=dict, description="Accounts by name."),
    ]

    @classmethod
    def read(cls, content: object) -> Self:
        """The settings in the content of a YAML file; an empty one is all defaults.

        Raises ValueError that names each wrong field by its path.
        """
        try:
            return cls.model_validate({} if content is None else content)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False)
            told = "; ".join(f"{_path(fault['loc'])}: {_words(fault)}" for fault in faults[:_FAULTS_TOLD])
            more = f"; and {len(faults) - _FAULTS_TOLD} more" if len(faults) > _FAULTS_TOLD else ""
            raise ValueError(told + more) from None

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_default(cls, content: Any) -> Any:  # noqa: ANN401 - as it was written
        """A key without a value, as a template may leave it, is as good as none."""
        if isinstance(content, dict):
            return {key: value for key, value in content.items() if value is not None}
        return content


def _path(place: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in place if step != "[key]") or "the file"


def _words(fault: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    if fault["type"] == "extra_forbidden":
        return "there is no such setting"
    return str(fault["msg"]).removeprefix("Value error, ")

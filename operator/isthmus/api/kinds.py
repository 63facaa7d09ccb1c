"""The four kinds as the API server knows them: names, scope and the columns that kubectl prints."""

from dataclasses import dataclass
from typing import Literal

from .computejob import ComputeJob
from .computenode import ComputeNode
from .dispatch import Dispatch
from .model import Model
from .names import GROUP
from .settlement import Settlement

CATEGORY = "isthmus"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`, filled from a JSON path."""

    name: str
    path: str
    description: str
    type: Literal["string", "integer", "date"] = "string"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of the group isthmus.dev."""

    model: type[Model]
    plural: str
    short_name: str
    namespaced: bool
    columns: tuple[Column, ...]
    categories: tuple[str, ...] = (CATEGORY,)

    @property
    def kind(self) -> str:
        """The name as manifests write it."""
        return self.model.__name__

    @property
    def singular(self) -> str:
        """The name as commands write it."""
        return self.kind.lower()

    @property
    def crd_name(self) -> str:
        """The name of its CustomResourceDefinition."""
        return f"{self.plural}.{GROUP}"


_AGE = Column("Age", ".metadata.creationTimestamp", "Since when it is there.", "date")

COMPUTE_NODE = Kind(
    model=ComputeNode,
    plural="computenodes",
    short_name="cn",
    namespaced=False,
    columns=(
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status', "Whether it can take work."),
        Column("Tier", ".spec.tier", "Its level."),
        Column("Region", ".spec.region.code", "Where it stands."),
        Column("GPU-Free", ".status.profile.gpuFree", "Accelerators that no pod holds.", "integer"),
        Column("Jobs", ".status.jobs", "Shards that have not ended.", "integer"),
        Column("Price", ".status.price", "Its tariff in a word."),
        _AGE,
    ),
)
COMPUTE_JOB = Kind(
    model=ComputeJob,
    plural="computejobs",
    short_name="cjob",
    namespaced=True,
    categories=(CATEGORY, "all"),
    columns=(
        Column("Phase", ".status.phase", "Where it stands."),
        Column("Nodes", ".status.nodes", "The ComputeNodes it stands on."),
        Column("Done", ".status.done", "Succeeded over completions."),
        Column("GPUs", ".status.gpus", "Accelerators that its pods ask for at once.", "integer"),
        Column("Cost", ".status.cost.text", "What it has cost so far."),
        _AGE,
    ),
)
DISPATCH = Kind(
    model=Dispatch,
    plural="dispatches",
    short_name="dsp",
    namespaced=True,
    columns=(
        Column("Job", ".spec.job.name", "The ComputeJob it is a shard of."),
        Column("State", ".status.state", "Where the shard stands."),
        Column("Attempt", ".spec.attempt", "Counts the tries.", "integer"),
        _AGE,
    ),
)
SETTLEMENT = Kind(
    model=Settlement,
    plural="settlements",
    short_name="stl",
    namespaced=True,
    columns=(
        Column("Party", ".spec.party", "Whose side it is."),
        Column("Phase", ".status.phase", "Where it stands."),
        Column("Total", ".status.total", "The sum of its lines."),
        Column("Currency", ".spec.currency", "The currency of the sum."),
        Column("Lines", ".status.lines", "How many lines it has.", "integer"),
        _AGE,
    ),
)
KINDS = (COMPUTE_NODE, COMPUTE_JOB, DISPATCH, SETTLEMENT)

"""The kinds that commands speak of: their names on the command line, and their columns beyond the server's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .complaint import Complaint

Object = Mapping[str, Any]
Columns = tuple[tuple[str, Callable[[Object], str]], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. `wide` are the columns that -o wide adds."""

    plural: str
    kind: str
    namespaced: bool
    words: tuple[str, ...]
    wide: Columns

    @property
    def singular(self) -> str:
        """The name as messages and -o name write it."""
        return self.kind.lower()

    @property
    def group_resource(self) -> str:
        """The name as messages of kubectl write it."""
        return f"{self.plural}.isthmus.dev"


def condition(obj: Object, kind: str) -> Mapping[str, Any]:
    """The condition of that type; empty where it is not there."""
    conditions: Sequence[Mapping[str, Any]] = (obj.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each.get("type") == kind), {})


def reason(obj: Object) -> str:
    """Why a job is not done, in a word: that of the condition which says so."""
    for kind in ("Failed", "FailureTarget", "Stalled"):
        found = condition(obj, kind)
        if found.get("status") == "True":
            return str(found.get("reason", ""))
    placed = condition(obj, "Placed")
    return str(placed.get("reason", "")) if placed.get("status") == "False" else ""


def models(obj: Object) -> str:
    """A node's accelerators: free of how many, and the model."""
    profile = (obj.get("status") or {}).get("profile") or {}
    kinds: Sequence[Mapping[str, Any]] = profile.get("accelerators") or ()
    return ", ".join(f"{each.get('free', 0)}/{each.get('total', 0)} {each.get('model', '')}" for each in kinds)


def _spec(*path: str) -> Callable[[Object], str]:
    return lambda obj: _text(_at(obj.get("spec"), path))


def _status(*path: str) -> Callable[[Object], str]:
    return lambda obj: _text(_at(obj.get("status"), path))


def _at(value: object, path: Sequence[str]) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _text(value: object) -> str:
    return "<none>" if value in (None, "") else str(value)


NODES = Kind(
    plural="computenodes",
    kind="ComputeNode",
    namespaced=False,
    words=("nodes", "node", "computenodes", "computenode", "cn"),
    wide=(
        ("STATE", _spec("schedulingState")),
        ("CODE", _spec("identity", "code")),
        ("MACHINES", _status("profile", "machines")),
        ("CPU-FREE", _status("profile", "free", "cpu")),
        ("MEMORY-FREE", _status("profile", "free", "memory")),
        ("ACCELERATORS", lambda obj: models(obj) or "<none>"),
        ("VERSION", _status("kubernetesVersion")),
    ),
)
JOBS = Kind(
    plural="computejobs",
    kind="ComputeJob",
    namespaced=True,
    words=("jobs", "job", "computejobs", "computejob", "cjob"),
    wide=(
        ("PRIORITY", _spec("priority")),
        ("SPLIT", _spec("placement", "split")),
        ("ON-NODE-LOST", _spec("placement", "onNodeLost")),
        ("FAILED", _status("failed")),
        ("REASON", lambda obj: reason(obj) or "<none>"),
    ),
)
KINDS = (NODES, JOBS)
_BY_WORD = {word: kind for kind in KINDS for word in kind.words}
WORDS = tuple(kind.words[0] for kind in KINDS)


def kind_of(word: str) -> Kind:
    """The kind of that name, with or without its group. Complaint where there is none."""
    found = _BY_WORD.get(word.lower().removesuffix(".isthmus.dev"))
    if found is None:
        raise Complaint(f"there is no kind {word!r} here; write {' or '.join(WORDS)}")
    return found


def objects_named(words: Sequence[str]) -> tuple[Kind, tuple[str, ...]]:
    """The kind and the names that `jobs a b`, `job/a` or `job/a job/b` mean. Complaint where they fit no form."""
    if "/" not in words[0]:
        return kind_of(words[0]), tuple(checked(name) for name in words[1:])
    pairs = [word.partition("/") for word in words]
    found = {kind_of(kind).plural: kind_of(kind) for kind, _, _ in pairs}
    if len(found) > 1 or not all(name for _, _, name in pairs):
        raise Complaint("write KIND/NAME for each, all of one kind, or KIND NAME…")
    return next(iter(found.values())), tuple(checked(name) for _, _, name in pairs)


def named(word: str, kind: Kind) -> str:
    """The name that `x` or KIND/x means where only that kind can be meant. Complaint where it is none."""
    before, sign, name = word.partition("/")
    return checked(name if sign and before.lower() in kind.words else word)


def checked(name: str) -> str:
    """The name, which is part of a path. Complaint where it would lead elsewhere."""
    if not name or "/" in name or name in {".", ".."}:
        raise Complaint(f"invalid resource name {name!r}: it must not be empty, . or .., nor contain /")
    return name

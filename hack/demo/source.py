"""Where the trace is taken from: a folder with the whole of it where there is one, else the sample."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "ISTHMUS_TRACES"
CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLE = Path(__file__).resolve().parent / "sample"
SHARED = CHECKOUT.parent / "shared" / "traces"


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A folder of trace files, and what to call it."""

    folder: Path
    title: str


def choose_source(environment: Mapping[str, str], shared: Path = SHARED) -> Source:
    """The folder that ISTHMUS_TRACES names, else `shared` where it is there, else the sample."""
    if named := environment.get(VARIABLE):
        return Source(Path(named), f"the openb trace in {named}")
    if shared.is_dir():
        return Source(shared, "Alibaba's openb GPU cluster trace (2023)")
    return Source(SAMPLE, "the sample in the repository, of the openb trace's form")

"""Draws replays: what is in use and who waits over time, how long, and what it costs and emits."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isthmus.errors import TraceError

from .hourly import HOUR
from .objective import Objective
from .policy import Policy
from .replaying import Replayed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INSTANTS = 1500
# Okabe and Ito's colours, which the colour-blind can tell apart.
_COLOURS = {Policy.FRAGMENTATION: "#0072B2", Policy.BESTFIT: "#E69F00", Policy.RANDOM: "#999999"}
_MARKERS = {Objective.BALANCED: "o", Objective.CHEAPEST: "s", Objective.GREENEST: "^"}
_GRID = "#dddddd"
_SHORTEST_WAIT = 1.0  # seconds, on the logarithmic axis


def draw(replays: Sequence[Replayed], path: Path) -> None:
    """Draw them into a .png or .svg file. Raises TraceError without matplotlib, or where the file can't be written."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise TraceError("--plot needs matplotlib", "install it: pip install 'isthmus[plot]'") from None
    figure = Figure(figsize=(11, 7), layout="constrained")
    panels = figure.subplot_mosaic(
        [["use", "use"], ["waiting", "waiting"], ["waits", "costs"]], height_ratios=[3, 2, 4]
    )
    panels["waiting"].sharex(panels["use"])
    first = replays[0].objective
    compared = [each for each in replays if each.objective is first]
    _draw_use(panels["use"], panels["waiting"], compared)
    _draw_waits(panels["waits"], compared)
    _draw_costs(panels["costs"], replays)
    stage = replays[0].stage
    figure.suptitle(
        f"{len(stage.jobs):,} pods over {stage.span / HOUR:.0f} h "
        f"on {stage.gpus:,} GPUs of {len(stage.machines)} members",
        fontsize="medium",
    )
    try:
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    except OSError as error:
        raise TraceError(f"can't write {path}: {error.strerror}", "name a file that this user can write") from None


def _draw_use(use: "Axes", waiting: "Axes", replays: Sequence[Replayed]) -> None:
    stage = replays[0].stage
    instants = np.linspace(0, stage.span, _INSTANTS)
    hours = instants / HOUR
    for place, each in enumerate(replays):  # the first above the others
        colour, label, zorder = _COLOURS[each.policy], each.policy.value, 3 + len(replays) - place
        use.plot(hours, each.in_use(instants), color=colour, linewidth=1.2, label=label, zorder=zorder)
        waiting.plot(hours, each.waiting(instants), color=colour, linewidth=1.2, zorder=zorder)
    _plain(use, "GPUs in use, %", f"by policy, {replays[0].objective.value}")
    use.set_ylim(0, 100)
    use.tick_params(labelbottom=False)
    use.legend(loc="lower right", ncols=len(replays), frameon=False, fontsize="small")
    _plain(waiting, "pods waiting", "")
    waiting.set_ylim(bottom=0)
    waiting.set_xlabel("hours since the first midnight")
    waiting.set_xlim(0, hours[-1])


def _draw_waits(axes: "Axes", replays: Sequence[Replayed]) -> None:
    """The share of pods that waited longer, over how long."""
    for each in replays:
        waits = np.sort(each.waits)
        longer = 100 * (1 - np.arange(1, len(waits) + 1) / len(waits))
        shown = waits >= _SHORTEST_WAIT
        axes.step(waits[shown], longer[shown], where="post", color=_COLOURS[each.policy], label=each.policy.value)
    _plain(axes, "pods that waited longer, %", "how long pods waited")
    axes.set_xscale("log")
    ticks = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36_000: "10 h", 360_000: "100 h"}
    axes.set_xlim(_SHORTEST_WAIT, max(max(float(each.waits.max()) for each in replays) * 1.2, 60))
    within = [tick for tick in ticks if tick <= axes.get_xlim()[1]]
    axes.set_xticks(within, [ticks[tick] for tick in within])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)


def _draw_costs(axes: "Axes", replays: Sequence[Replayed]) -> None:
    """Cost against carbon, a mark for each replay with its name beside it."""
    for each in replays:
        name = (
            each.objective.value if each.policy is replays[0].policy else f"{each.policy.value}, {each.objective.value}"
        )
        axes.scatter(
            each.cost, each.tonnes, s=60, color=_COLOURS[each.policy], marker=_MARKERS[each.objective], zorder=3
        )
        axes.annotate(name, (each.cost, each.tonnes), xytext=(7, 4), textcoords="offset points", fontsize="small")
    _plain(axes, "t of CO2 equivalent", f"what all of the work costs and emits ({replays[0].policy.value})")
    axes.set_xlabel(f"cost, {replays[0].stage.scenario.currency}")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.margins(x=0.25, y=0.15)


def _plain(axes: "Axes", ylabel: str, title: str) -> None:
    axes.set_ylabel(ylabel)
    axes.set_title(title, loc="left", fontsize="medium")
    axes.grid(color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)

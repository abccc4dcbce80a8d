"""A picture of how times are distributed, one panel for each case.

Both axes are logarithmic: what matters are the few blocks far out to the right. Needs matplotlib
(the extra `demo`), which is imported when a picture is drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import ConfigError

_BINS_PER_DECADE = 40
_COLOURS = ("#4477aa", "#ee6677")  # told apart by all eyes
_LINES = (  # both can be seen where they are the same
    {"color": "black", "linestyle": "-", "linewidth": 1.0},
    {"color": "#ccbb44", "linestyle": (0, (4, 4)), "linewidth": 2.0},
)


@dataclass(frozen=True)
class Panel:
    """One histogram.

    Attributes:
        title: what stands above it.
        times: up to two series `(blocks,)` in seconds, by name; NaN does not count.
        limits: moments in seconds to mark by a line, by name.
    """

    title: str
    times: Mapping[str, NDArray[np.float64]]
    limits: Mapping[str, float]


def draw_histograms(title: str, rows: Sequence[Sequence[Panel]], picture: Path) -> None:
    """Draws panels on shared axes.

    Args:
        title: of the whole.
        rows: from top to bottom, each from left to right and as long as the others.
        picture: the png file to write; its folder must exist.

    Raises:
        ConfigError: if it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    edges = _edges([panel for row in rows for panel in row])
    columns = len(rows[0])
    figure = Figure(figsize=(2 + 7 * columns, 1 + 1.9 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    grid = figure.subplots(len(rows), columns, sharex=True, sharey=True, squeeze=False)
    for axis, panel in zip(grid.flat, (panel for row in rows for panel in row), strict=True):
        for (name, seconds), colour in zip(panel.times.items(), _COLOURS, strict=False):
            milliseconds = 1e3 * seconds[~np.isnan(seconds)]
            axis.hist(milliseconds, edges, histtype="stepfilled", color=colour, alpha=0.25)
            axis.hist(milliseconds, edges, histtype="step", color=colour, label=name)
        for (name, moment), style in zip(panel.limits.items(), _LINES, strict=False):
            axis.axvline(1e3 * moment, **style, label=name)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_ylim(bottom=0.7)
        axis.set_title(panel.title, loc="left", fontsize=9, pad=2)
        axis.grid(visible=True, which="major", alpha=0.25)
    for axis in grid[:, 0]:
        axis.set_ylabel("blocks")
    for axis in grid[-1]:
        axis.set_xlabel("ms")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
    grid[0, 0].legend(fontsize=8, loc="upper left")
    try:
        figure.savefig(picture, format="png", dpi=110)
    except OSError as error:
        raise ConfigError(f"{picture} cannot be written: {error.strerror}.") from error


def _edges(panels: Sequence[Panel]) -> NDArray[np.float64]:
    """Returns edges in milliseconds, around all times and limits, even on a logarithmic axis."""
    everything = [
        *(seconds[~np.isnan(seconds)] for panel in panels for seconds in panel.times.values()),
        np.array([moment for panel in panels for moment in panel.limits.values()]),
    ]
    milliseconds = 1e3 * np.maximum(np.concatenate(everything), 1e-6)
    low, high = np.log10(milliseconds.min() * 0.9), np.log10(milliseconds.max() * 1.1)
    return np.logspace(low, high, 1 + max(1, round(_BINS_PER_DECADE * (high - low))))

"""How the plots look: one palette that colour-blind readers can tell apart, one set of axes.

The colours are Okabe and Ito's (jfly.uni-koeln.de/color), the order theirs, without yellow.
"""

from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE: Final = "#0072B2"
ORANGE: Final = "#D55E00"
GREEN: Final = "#009E73"
PINK: Final = "#CC79A7"
SKY: Final = "#56B4E9"
AMBER: Final = "#E69F00"
GREY: Final = "#767676"
PALE: Final = "#E4E4E4"
INK: Final = "#222222"

ENGINES: Final = (BLUE, ORANGE, GREEN, PINK, SKY, AMBER)
_TITLE_PT: Final = 13.0
_RIGHT: Final = 0.985  # of the figure's width: further right a title may not reach

styled: Final = mpl.rc_context(fname=Path(__file__).with_name("plots.mplstyle"))
"""Decorates functions that draw, since matplotlib reads its settings at every step."""


def figure(width: float, height: float) -> Figure:
    """Return an empty figure of that size in inches, for files: no window system is touched."""
    return Figure(figsize=(width, height), layout="constrained")


def axes(on: Figure, rows: int = 1) -> list[Axes]:
    """Return the axes of a figure, one under the other."""
    return [row[0] for row in on.subplots(rows, 1, squeeze=False)]


def write(made: Figure, finding: str, detail: str, file: Path) -> None:
    """Put the finding over a figure, under it what it was measured on, and write it.

    Raises OSError.
    """
    title = made.suptitle(finding, ha="left", fontsize=_TITLE_PT, fontweight="bold")
    made.axes[0].set_title(detail, loc="left", fontsize=9.5, color=GREY, pad=10)
    made.draw_without_rendering()  # lays it out, so that both lines can begin at the axes
    left = made.axes[0].get_position().x0
    title.set_x(left)
    room = made.bbox.width * (_RIGHT - left)
    title.set_fontsize(_TITLE_PT * min(1.0, room / title.get_window_extent().width))
    made.savefig(file)

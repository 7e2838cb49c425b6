"""Figures as SVG, the same bytes for the same results."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@contextmanager
def style(font_size: float) -> Iterator[None]:
    """matplotlib's settings while a figure is drawn and written: no random ids, text as text."""
    import matplotlib as mpl

    settings: Any = {
        "svg.hashsalt": "oversight",
        "svg.fonttype": "none",
        "font.size": font_size,
        "text.parse_math": False,  # a $ in a name is a $
    }
    with mpl.rc_context(settings):
        yield


def svg_of(figure: Figure) -> str:
    """A figure as SVG, without a date."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()

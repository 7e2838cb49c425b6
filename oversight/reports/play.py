"""A game between protocols and a model that plays to win, as a document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import zip_longest
from string import ascii_lowercase

import numpy as np

from oversight.components.profiles import HONEST, Tactics
from oversight.core.columns import MISSING, names
from oversight.findings.columns import PLAY
from oversight.findings.play import NO_SIGNAL, Played
from oversight.findings.rows import Row
from oversight.reports.document import Document, Paragraph, Part, Table
from oversight.reports.tables import cell, headline, interval, two

LOSSES = {"pgr": "1 - PGR", "label": "1 - label accuracy", "harm": "harm"}
MATRIX = "Loss ({loss}) of each protocol under each strategy below; * is the worst of its row"
WORST = "Worst cases, the safest protocol first; fresh: on replicates that did not choose them"
ALIKE = "all cost the same"
PRICE = (
    "Price of robustness: {price}. It is the least worst loss of a protocol, less the least loss "
    "with an honest model."
)
NOTICED = (
    "Would anybody notice the worst case? The chance that the best single signal shows it among "
    "{items} labels, {checks} of them checked against gold, at 5 % false alarms; and how many gold "
    "checks show it with 95 %"
)


def document(played: Played) -> Document:
    """The game, worst cases, equilibrium, and who would notice."""
    return Document(
        headline(played.study),
        partial(_parts, played),
        partial(_data, played),
        names(PLAY),
        played.rows,
    )


def _data(played: Played) -> dict[str, object]:
    """What JSON holds."""
    return {
        "scenario": played.study.name,
        "loss": played.loss,
        "rows": played.rows(),
        "worst": played.worst(),
        "equilibrium": played.equilibrium(),
        "price_of_robustness": played.price_of_robustness,
    }


def _parts(played: Played) -> Iterator[Part]:
    """Tables and notes."""
    letters = {name: _letter(place) for place, name in enumerate(played.game.strategies)}
    yield _matrix(played, {HONEST: HONEST, **letters})
    yield _strategies(played, letters)
    if played.complete:
        yield _worst(played)
        yield _noticed(played)
        yield _equilibrium(played)
        yield Paragraph(PRICE.format(price=two(played.price_of_robustness)))
    yield from map(Paragraph, _notes(played))


def _letter(place: int) -> str:
    """A short name for the strategy at a place.

    >>> _letter(0), _letter(25), _letter(26)
    ('a', 'z', 'aa')
    """
    more, last = divmod(place, len(ascii_lowercase))
    return (_letter(more - 1) if more else "") + ascii_lowercase[last]


def _matrix(played: Played, heads: dict[str, str]) -> Table:
    """Losses: protocols down, strategies across."""
    worst = played.worst_cases()
    rows = []
    for protocol in played.protocols:
        losses = [played.lost(played.game.case(protocol, name)).value for name in heads]
        marks = ["*" if worst.get(protocol) == name else " " for name in heads]
        cells = (two(loss) + mark for loss, mark in zip(losses, marks, strict=True))
        rows.append([protocol, *cells])
    title = MATRIX.format(loss=LOSSES[played.loss])
    # Heads end where the numbers do, not where the mark stands.
    written = ["protocol", *(f"{head} " for head in heads.values())]
    return Table(written, rows, title=title, narrow=written)


def _strategies(played: Played, letters: dict[str, str]) -> Table:
    """What each strategy is."""
    ways = list(Tactics.model_fields)
    rows = []
    for name, letter in letters.items():
        strategy = played.game.every[name]
        how = [str(getattr(strategy, way)) for way in ways]
        rows.append([letter, name, f"{strategy.share:g}", *how])
    heads = ["", "strategy", "share", *ways]
    return Table(heads, rows, words=(0, 1, *range(3, len(heads))))


def _worst(played: Played) -> Table:
    """Each protocol's worst case, beside an honest model."""
    rows = []
    for row in _safest_first(played):
        losses = played.losses[played.protocols.index(row["protocol"])]
        rows.append(
            [
                row["protocol"],
                two(float(losses[0])),
                two(row["loss"]),
                interval(row["low"], row["high"]),
                two(row["fresh"]),
                row["strategy"] if np.ptp(losses) else ALIKE,
            ]
        )
    heads = ["protocol", HONEST, "worst", "95 %", "fresh", "worst strategy"]
    return Table(heads, rows, title=WORST, words=(0, 5), narrow=heads)


def _noticed(played: Played) -> Table:
    """Who would notice each protocol's worst case."""
    cells_of = {(row["protocol"], row["strategy"]): row for row in played.rows()}
    rows = []
    for row in _safest_first(played):
        noticed = cells_of[row["protocol"], row["strategy"]]
        signal = noticed["signal"]
        by = MISSING if signal in (None, NO_SIGNAL) else signal
        cells = [cell(noticed, name) for name in ("detection_power", "checks_for_95")]
        rows.append([row["protocol"], cells[0], by, cells[1]])
    play = played.game.settings
    title = NOTICED.format(items=play.items, checks=play.checks)
    return Table(["protocol", "noticed", "by", "checks for 95 %"], rows, title=title, words=(0, 2))


def _safest_first(played: Played) -> list[Row]:
    return sorted(played.worst(), key=lambda row: float(row["loss"]))


def _equilibrium(played: Played) -> Table:
    """Who plays what, the likeliest first."""
    game = played.solution
    assert game is not None
    sides = [
        sorted(((w, name) for name, w in side.items() if w), key=lambda pair: -pair[0])
        for side in (game.protocols, game.strategies)
    ]
    pairs = zip_longest(*([[name, f"{100 * w:.0f} %"] for w, name in side] for side in sides))
    rows = [[*(ours or ["", ""]), *(theirs or ["", ""])] for ours, theirs in pairs]
    title = (
        f"Equilibrium: loss {two(game.loss.value)} ({interval(game.loss.low, game.loss.high)}); "
        f"neither side gains more than {game.exploitability:.3f} by deviating"
    )
    heads = ["overseers play", "weight", "the model plays", "weight"]
    return Table(heads, rows, title=title, words=(0, 2))


def _notes(played: Played) -> list[str]:
    """Strategies of one meaning; where U is honest, and why; why there is no equilibrium."""
    same = [f"{name!r} is {first!r}" for name, first in played.game.alike().items()]
    notes = [f"The same in every protocol here: {'; '.join(same)}."] if same else []
    honest: dict[tuple[str, str], dict[str, None]] = {}
    for protocol in played.protocols:
        under: dict[str, list[str]] = {}
        for strategy in played.game.strategies:
            status = played.game.status(protocol, strategy)
            if status != "ok":
                under.setdefault(status, []).append(strategy)
        for status, some in under.items():
            every = len(some) == len(played.game.strategies)
            which = "every strategy" if every else ", ".join(map(repr, some))
            honest.setdefault((which, status), {})[protocol] = None
    for (which, status), protocols in honest.items():
        notes.append(f"{', '.join(protocols)} under {which}: {status}.")
    if played.problem:
        notes.append(f"No equilibrium: the loss is {played.problem}.")
    return notes

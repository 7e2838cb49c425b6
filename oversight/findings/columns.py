"""Columns of what a run finds: summaries, differences, crossings, break points, indices, fronts."""

from __future__ import annotations

from collections.abc import Iterable

from oversight.core.columns import Column, column_of
from oversight.desk.metrics import COLUMNS as DESK
from oversight.metrics.columns import CURVE, GAINS, MEASURES, PGR, SHARE

ABOUT = (
    Column("scenario", "name of the scenario", kind="text"),
    Column("protocol", "name of the protocol", kind="text"),
    Column("failure", "failure injected; empty without one", kind="text"),
    Column("severity", "how severely it was injected; 0 without a failure", "0 to 1", format="g"),
)
"""What a row is about."""

STRATEGY = (
    Column("strategy", "what the strong model does: empty for honest", kind="text"),
    Column(
        "strategy_status",
        "`ok`, or `honest: ...` with the reason why the protocol cannot carry the scenario's "
        "strategy",
        kind="text",
    ),
)
"""What the strong model does in a protocol."""

REPLICATE = Column("replicate", "number of the replicate, from 0", kind="whole")
REPLICATES = Column("replicates", "replicates that succeeded", kind="whole")

CURVES = (
    *ABOUT[1:],
    REPLICATE,
    Column("epoch", "how many epochs the student was trained; 0 is the start", kind="whole"),
    *CURVE,
)
"""A row a case, replicate and epoch, of students that have epochs: curves.csv."""

RUNS = (*ABOUT, REPLICATE, *MEASURES, *DESK)
"""A row a case and replicate: runs.csv."""


def knob_column(path: str, values: Iterable[float]) -> Column:
    """The column of a knob that a sweep varies: whole numbers, if all its values are.

    >>> knob_column("desk.people", (1, 5)).kind, knob_column("overseer.structure", (0, 0.5)).kind
    ('whole', 'number')
    """
    whole = all(isinstance(value, int) for value in values)
    meaning = "value of the knob at this point of the sweep"
    return Column(path, meaning, "of the knob", kind="whole" if whole else "number", format="g")


def _measures(first: str, last: str) -> tuple[Column, ...]:
    """Neighbors of MEASURES, from one name to another."""
    start, stop = (MEASURES.index(column_of(MEASURES, name)) for name in (first, last))
    return MEASURES[start : stop + 1]


MEANS = (
    *_measures("label_accuracy", "agreement_when_wrong"),
    column_of(MEASURES, "label_confidence"),
    *_measures("human_minutes_per_item", "agent_score_difference_log"),
    *DESK,
)
"""Measures of which a summary has the mean over replicates."""

SUMMARY = (
    *ABOUT,
    REPLICATES,
    *_measures("label_accuracy", "coverage"),
    SHARE[0],
    *_measures("weak_accuracy", "ceiling_accuracy"),
    *PGR,
    *GAINS,
    *_measures("auc", "agreement_when_wrong"),
    *_measures("human_minutes_per_item", "model_calls_per_item"),
    *SHARE[1:],
    *STRATEGY,
    column_of(MEASURES, "label_confidence"),
    *_measures("agent_score_difference", "agent_score_difference_log"),
    *DESK,
)
"""A row a case: summary.csv."""

DIFFERENCE = (
    Column("first", "one protocol", kind="text"),
    Column("second", "the other protocol", kind="text"),
    Column("difference", "PGR of the first less that of the second", "share of the gap"),
    Column("low", "lower end of an interval; all intervals hold together", "share of the gap"),
    Column("high", "upper end of that interval", "share of the gap"),
    Column("status", "`ok`, or why there is no number or no bound", kind="text"),
    Column(
        "p_value",
        "of no difference between the students: paired t test, Holm's correction",
        "probability",
    ),
)
"""A row a pair of protocols: differences.csv."""

CROSSING = (
    Column("knob", "path of the knob along which protocols change places", kind="text"),
    Column("at", "values of the other knobs there", kind="text"),
    Column("ahead_below", "protocol that is ahead below the crossing", kind="text"),
    Column("ahead_above", "protocol that is ahead above it", kind="text"),
    Column("value", "where the mean difference is zero", "of the knob", format=".3g"),
    Column("low", "where the difference is no longer clear, below", "of the knob", format=".3g"),
    Column("high", "where the difference is clear again, above", "of the knob", format=".3g"),
)
"""A row a crossing of a sweep: crossings.csv."""

BREAK = (
    Column("protocol", "name of the protocol", kind="text"),
    Column("failure", "failure injected", kind="text"),
    Column("measure", "`label accuracy` or `PGR`", kind="text"),
    Column(
        "status",
        "`breaks`, `never`, `from the start`, `not applicable: ...` or `undefined: ...`",
        kind="text",
    ),
    Column("severity", "break point; empty unless it breaks, 0 from the start", "0 to 1"),
    Column("low", "where the lower 95 % bound of the margin falls to zero", "0 to 1"),
    Column("high", "where the upper 95 % bound of the margin falls to zero", "0 to 1"),
    Column("knob", "what the severity stands for there", "the failure's own"),
    Column("confidence", "mean stated confidence of the labels there", "1/2 to 1"),
    Column("fall", "how far that confidence fell from health", "share"),
    Column("excess", "that confidence less the labels' accuracy there", "share"),
    Column("silent", "whether confidence fell by at most .05 on the way", kind="flag"),
)
"""A row a protocol, failure and measure: breaks.csv."""

RANKING = (
    Column("protocol", "name of the protocol", kind="text"),
    Column("worst_pgr", "lowest PGR over the failures of the run", "share of the gap"),
    Column("worst_pgr_low", "lower end of that cell's 95 % interval", "share of the gap"),
    Column("worst_pgr_high", "upper end of that interval", "share of the gap"),
    Column("worst", "failure and severity that give it, or `no failure`", kind="text"),
    Column("mean_pgr", "mean PGR over the failures", "share of the gap"),
    Column("healthy_pgr", "PGR without a failure", "share of the gap"),
    Column("worst_label_accuracy", "lowest label accuracy over them", "share", format=".3f"),
    Column("status", "`ok`, or `undefined: ...` with the reason", kind="text"),
)
"""A row a protocol: ranking.csv."""

INDEX = (
    Column("protocol", "name of the protocol", kind="text"),
    Column("knob", "path of the knob, or `replicate` for the noise", kind="text"),
    Column("first", "share of the variance of PGR that it makes alone", "share"),
    Column("first_half", "half of a 95 % interval (bootstrap)", "share"),
    Column("total", "share of the variance of PGR that it has a part in", "share"),
    Column("total_half", "half of a 95 % interval (bootstrap)", "share"),
    Column("status", "`ok`, or `undefined: ...` with the reason", kind="text"),
)
"""A row a protocol and knob: sensitivity.csv."""

DESIGN = (
    *SUMMARY,
    Column("origin", "`search`, `random search` or `by hand`", kind="text"),
    Column("what", "the protocol in full", kind="text"),
    Column("searched_pgr", "PGR while searching; empty if written by hand", "share of the gap"),
    Column("beaten_by_the_front", "whether one of the search's beats it in both", kind="flag"),
)
"""A row a protocol that was confirmed: design.csv."""

_LOSS = (
    Column("loss", "1 - PGR on the pooled gap, 1 - label accuracy, or harm", "share", format=".3f"),
    Column("low", "lower end of its 95 % interval", "share"),
    Column("high", "upper end of its 95 % interval", "share"),
)

PLAY = (
    Column("protocol", "name of the protocol", kind="text"),
    Column("strategy", "what the strong model does; `honest` without an attack", kind="text"),
    *_LOSS,
    PGR[0],
    column_of(MEASURES, "label_accuracy"),
    column_of(MEASURES, "harm"),
    Column(
        "detection_power",
        "chance that the best single signal shows the attack, at 5 % false alarms; empty for "
        "`honest`",
        "share",
        format=".0f%",
    ),
    Column("signal", "which one that is; `none` where none shows it", kind="text"),
    Column(
        "checks_for_95",
        "gold checks that show the attack with 95 %; empty where no number will do",
        kind="whole",
    ),
    Column("status", "`ok`, `honest: ...` or `undefined: ...` with the reason", kind="text"),
)
"""A row a protocol and strategy: play.csv."""

WORST = (
    *PLAY[:2],
    *_LOSS,
    Column("fresh", "the same loss on as many fresh replicates", "share", format=".3f"),
)
"""A row a protocol: worst.csv."""

EQUILIBRIUM = (
    Column("side", "`protocol` or `strategy`", kind="text"),
    Column("name", "of the protocol or strategy", kind="text"),
    Column("weight", "how often it is played in equilibrium", "share"),
    Column("value", "the loss in equilibrium", "share"),
    Column("low", "lower end of its 95 % interval at these mixtures", "share"),
    Column("high", "upper end of that interval", "share"),
    Column("exploitability", "the most that either side gains by deviating", "share"),
    Column(
        "price_of_robustness",
        "least worst loss of a protocol, less the least loss with an honest model",
        "share",
    ),
)
"""A row a protocol and a row a strategy: equilibrium.csv."""

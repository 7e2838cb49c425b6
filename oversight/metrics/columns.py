"""Columns of what is measured of a protocol's labels, its student and its costs."""

from __future__ import annotations

from oversight.core.columns import Column, column_of

MEASURES = (
    Column(
        "label_accuracy",
        "how often hard labels agree with gold, on the training items that were labeled",
        "share",
        format=".3f",
    ),
    Column("coverage", "training items that were labeled", "share", format=".3g%"),
    Column(
        "weak_accuracy",
        "how often the labels of the baseline agree with gold, on training items; it is the "
        "unaided overseer unless the scenario names another",
        "share",
        format=".3f",
    ),
    Column(
        "student_accuracy",
        "how often the student of the protocol's labels agrees with gold, on test items",
        "share",
        format=".3f",
    ),
    Column(
        "ceiling_accuracy",
        "how often the same student, trained on gold, agrees with gold, on test items",
        "share",
        format=".3f",
    ),
    Column("auc", "area under the student's ROC curve, on test items, against gold", "share"),
    Column("brier", "mean squared error of the student's probabilities, on test items", "0 to 1"),
    Column(
        "calibration_error",
        "mean gap between the student's confidence and its accuracy, in ten bins, on test items",
        "share",
    ),
    Column(
        "agreement_when_right",
        "how often the student agrees with its labels, on training items where they are right",
        "share",
    ),
    Column(
        "agreement_when_wrong",
        "how often the student agrees with its labels, on training items where they are wrong",
        "share",
    ),
    Column("label_right_student_right", "labeled items on which both are right", "share"),
    Column("label_right_student_wrong", "labeled items on which only the label is right", "share"),
    Column(
        "label_wrong_student_right", "labeled items on which only the student is right", "share"
    ),
    Column("label_wrong_student_wrong", "labeled items on which both are wrong", "share"),
    Column("label_confidence", "mean stated confidence of the labels", "1/2 to 1", format=".3f"),
    Column("label_confidence_sd", "its standard deviation over the labeled items", "0 to 1/2"),
    Column(
        "override_rate",
        "labeled items on which somebody who judged again answered otherwise",
        "share",
        format=".3f",
    ),
    Column(
        "disagreement_rate",
        "labeled items on which any member or part answered otherwise than the outcome",
        "share",
        format=".3f",
    ),
    Column(
        "harm",
        "training items that the strong model attacked and whose label is wrong, against gold; "
        "unlabeled ones are not used",
        "share",
        format=".3f",
    ),
    Column(
        "label_accuracy_intended",
        "how often hard labels agree with the intended answer (gold before its noise)",
        "share",
    ),
    Column("label_positive", "labels that say yes", "share"),
    Column(
        "share_linear",
        "unbiased squared length of the mean product of centered labels and features; the "
        "representable share is made of it",
        "(labels times features) squared",
    ),
    Column(
        "share_margin",
        "the same along the root's margin alone; likewise",
        "(labels times margin) squared",
    ),
    Column(
        "sample_shift",
        "how far the labeled items are from a random sample: squared standard errors, summed over "
        "mean and variance of margin and misconception; 0 where all are labeled",
        "chi-square, 4 degrees of freedom",
    ),
    Column(
        "human_minutes_per_item",
        "everything that people were paid for, divided by all training items",
        "minutes an item",
        format=".1f",
    ),
    Column(
        "model_calls_per_item",
        "all calls of models, divided by all training items",
        "calls an item",
        format=".1f",
    ),
    Column(
        "agent_score_difference",
        "how much better the strong model fares defending the truth than a falsehood, by Brier's "
        "rule; empty where it argues for nothing. A symmetric debate has 2 (2 p - 1), p the mean "
        "belief in the truth (Sudhir et al. 2025)",
        "-2 to 2",
    ),
    Column("agent_score_difference_log", "the same by the log score", "nats"),
)
"""What a replicate measures of a protocol, in this order; a desk's columns follow."""

CURVE = (
    column_of(MEASURES, "student_accuracy"),
    *(column_of(MEASURES, f"agreement_when_{labels}") for labels in ("right", "wrong")),
    Column("loss", "mean loss on the labels that the student is trained on", "nats"),
)
"""What is measured of a student after every epoch."""

PGR = (
    Column(
        "pgr",
        "performance gap recovered: (student - weak) / (ceiling - weak)",
        "share of the gap",
    ),
    Column("pgr_low", "lower end of its 95 % interval", "share of the gap"),
    Column("pgr_high", "upper end of its 95 % interval", "share of the gap"),
    Column(
        "pgr_status",
        "`ok`, `ok: one replicate, no interval`, or `undefined: ...` with the reason",
        kind="text",
    ),
)
"""The ratio that protocols are compared by."""

GAINS = (
    Column(
        "oversight_gain",
        "part of PGR that better labels bring: (label - weak) / (ceiling - weak)",
        "share of the gap",
        format="+.2f",
    ),
    Column(
        "generalization_gain",
        "part of PGR that the student adds: (student - label) / (ceiling - weak)",
        "share of the gap",
        format="+.2f",
    ),
)
"""The two parts that PGR is the sum of."""

SHARE = (
    Column(
        "representable_share",
        "share of the labels' error in a direction that a linear student can represent; above 1, "
        "the student is worse than its labels",
        "share of the error, not clipped",
    ),
    Column(
        "representable_share_low",
        "lower end of its 95 % interval",
        "share of the error, not clipped",
    ),
    Column(
        "representable_share_high",
        "upper end of its 95 % interval",
        "share of the error, not clipped",
    ),
    Column(
        "representable_share_status",
        "`ok`, `ok: ...` with one replicate, or where the student is no linear one, `flagged: ...` "
        "where labels are unbalanced, or `undefined: ...`",
        kind="text",
    ),
)
"""How much of the labels' error a student can copy, pooled over replicates."""

PREDICTABLE = Column(
    "predictable_share",
    "share of the labels' error that a held-out classifier foresees from the features (Brier skill "
    "against the constant rate); only where `--predictable` asks for it",
    "share of the error",
    format=".3f",
)
"""What costs more than the cell itself, and is measured on request."""

"""What a replicate measures of overrides, disagreement, confidence and harm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mechanisms.audit import Audit
from mechanisms.consultancy import Consultancy
from mechanisms.direct import Direct
from mechanisms.vote import Vote
from oversight import Human, Model, Study
from oversight.running.labeling import Labeler
from oversight.running.replicate import COLUMNS, run_replicate
from oversight.studies.cases import Case
from tests.helpers import binomial_error

JUDGE = Audit(of=Vote(), by=Human(person=5), share=0.4)
"""A judge who is both overridden and made of several."""


def test_the_columns_of_a_replicate() -> None:
    study = Study(
        world={"train_items": 400, "test_items": 100, "features": 4},
        protocols={"judge": JUDGE, "unaided": Direct()},
    )
    run = run_replicate(study, 0)
    pool_ = study.world.pool(study.seed, 0, "train")
    verdicts = JUDGE.prepare(pool_, study.setting).assess(pool_.roots)
    stated = np.maximum(verdicts.belief, 1 - verdicts.belief)
    row = dict(zip(COLUMNS, run.rows[Case("judge")], strict=True))
    assert row["override_rate"] == verdicts.overridden.mean() > 0
    assert row["disagreement_rate"] == (verdicts.disagreement > 0).mean() > 0
    assert row["label_confidence_sd"] == pytest.approx(
        np.sqrt(np.mean((stated - stated.mean()) ** 2))
    )
    alone = dict(zip(COLUMNS, run.rows[Case("unaided")], strict=True))
    assert alone["override_rate"] == alone["disagreement_rate"] == 0.0


def test_only_labeled_items_count() -> None:
    """A desk without time labels some items, or none: then there is nothing to measure."""
    parts = {"world": {"train_items": 300, "test_items": 100, "features": 4}}
    for hours, share in ((90, 0.2), (0.01, 0.0)):
        study = Study(protocols={"judge": JUDGE}, desk={"people": 1, "hours": hours}, **parts)
        pool_ = study.world.pool(study.seed, 0, "train")
        labels = Labeler(study, pool_).label(Case("judge")).verdicts
        assert (labels.labeled.mean() > share) == bool(share)
        row = dict(zip(COLUMNS, run_replicate(study, 0).rows[Case("judge")], strict=True))
        names = ("override_rate", "disagreement_rate", "label_confidence_sd")
        if not share:
            assert np.isnan([row[name] for name in names]).all()
            continue
        assert labels.labeled.mean() < 0.9
        assert row["override_rate"] == labels.overridden[labels.labeled].mean()
        assert row["disagreement_rate"] == (labels.disagreement[labels.labeled] > 0).mean()


LYING = {"strategy": {"share": 0.3, "picks": "random"}}


def test_harm_is_where_an_attack_has_a_wrong_label() -> None:
    """A model that answers itself lies on the items it attacks: nothing else differs from health.
    With a model right A of the time, a share q A of the items is harmed."""
    parts: dict[str, Any] = {
        "world": {"train_items": 20_000, "test_items": 100, "features": 2},
        "protocols": {"u": Direct(overseer=Model())},
    }
    health, attack = Study(**parts), Study(model=LYING, **parts)
    pool_ = health.world.pool(health.seed, 0, "train")
    honest, lying = (
        Labeler(one, pool_).label(Case("u")).verdicts.answer for one in (health, attack)
    )
    rows = [
        dict(zip(COLUMNS, run_replicate(one, 0).rows[Case("u")], strict=True))
        for one in (health, attack)
    ]
    assert rows[0]["harm"] == 0.0
    assert rows[1]["harm"] == np.mean((honest != lying) & (lying != pool_.gold))
    law = 0.3 * rows[0]["label_accuracy"]
    error = binomial_error(rows[0]["label_accuracy"], 0.3 * 20_000) * 0.3
    assert rows[1]["harm"] == pytest.approx(law, abs=4 * error)


def test_what_has_no_label_harms_nobody() -> None:
    study = Study(
        world={"train_items": 300, "test_items": 100, "features": 4},
        model=LYING,
        protocols={"it": Consultancy(open=True, turns=1)},
        desk={"people": 1, "hours": 30},
    )
    pool_ = study.world.pool(study.seed, 0, "train")
    given = Labeler(study, pool_).label(Case("it"))
    labels = given.verdicts
    row = dict(zip(COLUMNS, run_replicate(study, 0).rows[Case("it")], strict=True))
    used = given.attacked & labels.labeled
    assert 0.2 < labels.labeled.mean() < 0.8
    assert row["harm"] == np.mean(used & (labels.answer != pool_.gold)) > 0
    assert row["harm"] < np.mean(given.attacked & (labels.answer != pool_.gold))

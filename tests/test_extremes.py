"""Scenarios at the edge of what is allowed: they run, warn of nothing, tell their transcripts."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

import oversight

EDGES = {
    "ten items, a lone question": """\
oversight: 1
replicates: 3
world: {train_items: 10, test_items: 10, features: 2, tree: {depth: 0}}
protocols:
  ünäided ✓: direct
  td: {debate: {tree: true}}
  dec: {decomposition: {height: 5, aggregate: hard, aggregator_noise: 1.0}}
  dec2: {decomposition: {votes: 4, aggregate: hard}}
  rrm: {recursive_reward_modeling: {samples: 5}}
  rrm2:
    recursive_reward_modeling:
      {labeler: human, evaluator: {decomposition: {checker: {consultancy: {open: true}}}}}
  model: {direct: {overseer: model}}
""",
    "perfect people and parity": """\
oversight: 1
replicates: 2
world:
  {train_items: 300, test_items: 300, features: 5, ceiling: 1.0, decomposability: 0,
   claim_correlation: 1, tree: {branching: 2, depth: 3, 
   gates: ["0110", xor, [1, 0, 0, 1]], leaf_prior: 0.5}}
overseer: {accuracy: {root: 1.0, leaf: 1.0}, structure: 1, skill_sd: 2}
model: {accuracy: [1.0, 0.6, 0.9, 1.0], shared_bias: 1}
student: {features: 1, labels: hard, l2: 0}
protocols:
  td: {debate: {tree: true, turns: 0, candidates: 1000000}}
  d: {debate: {turns: 50, evidence: 0, discernment: 1, gain: 0}}
  dec:
    decomposition:
      {height: 1, votes: 3, checker: {debate: {judge: {decomposition: {height: 1}}}}}
  rrm: {recursive_reward_modeling: {samples: 100000, trust: 0, candidates: 64}}
""",
    "one child a node, two replicates": """\
oversight: 1
replicates: 2
overseer: {accuracy: {root: 0.7, leaf: 0.9}, skill_sd: 0.45}
world: {train_items: 1000, test_items: 500, tree: {branching: 1, depth: 3, gates: [and, "10", or]}}
student: {l2: 0}
protocols:
  x: {consultancy: {turns: 0}}
  y: {decomposition: {aggregate: hard, checker: {recursive_reward_modeling: {samples: 50}}}}
  z: {debate: {judge: {human: {person: 3, effort: 0.2, confidence: 3, minutes: {root: 1}}}}}
""",
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(name: str, tmp_path: Path) -> None:
    (tmp_path / "edge.yaml").write_text(EDGES[name], encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = oversight.compare(oversight.load(tmp_path / "edge.yaml"), out=tmp_path / "out")
    assert results.failed == []
    for row in results.summary():
        assert row["pgr"] is not None or row["pgr_status"].startswith("undefined: ")
    for path in (tmp_path / "out" / "transcripts").iterdir():
        assert "failed:" not in path.read_text(encoding="utf-8")

"""`oversight play`: every protocol against every strategy of a model that plays to win."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from oversight.analyses.exporting import TABLES, exporting, names_of, write_tables
from oversight.core.errors import PlayError
from oversight.findings.play import Loss, Played, rows_of
from oversight.findings.results import Results
from oversight.running.keys import Keys
from oversight.running.run_options import Run, RunOptions
from oversight.running.runner import Runner, started
from oversight.studies.cases import Case
from oversight.studies.game import Game
from oversight.studies.study import Study

TOLERANCE = 0.01
"""What U may still gain by a strategy that is not played, where strategies are searched for."""


def play(
    study: Study,
    *,
    respond: bool = False,
    tolerance: float = TOLERANCE,
    loss: Loss = "pgr",
    **run: Unpack[RunOptions],
) -> Played:
    """Run every protocol of a study, the unaided overseer among them, against every strategy that
    it names (the standard ones if it names none), and solve the game that they make.

    respond    search for more strategies until U gains at most the tolerance (double oracle;
               McMahan, Gordon & Blum 2003)
    tolerance  in loss, above 0, at most 1
    loss       what overseers lose by: `pgr` is 1 - PGR on the pooled gap, `label` 1 - label
               accuracy, `harm` the share of items that U attacked and whose wrong answer was used
    run        executor, jobs, out, retry, progress: see `oversight.running.run_options.Run`

    Raises PlayError where the loss leaves no protocol or the tolerance is none, StoreError where
    the folder cannot be used, WorkersError where nobody can do the work.
    """
    options = Run.of(play, run)
    if not 0 < tolerance <= 1:
        raise PlayError(f"tolerance {tolerance!r}: expected a number above 0, at most 1")
    game = Game.of(study, searching=respond)
    if not rows_of(game.study, loss):
        raise PlayError("harm is no loss of the unaided overseer, who is alone here")
    files = names_of(study, *TABLES, "play.csv", "worst.csv", "equilibrium.csv")
    with started(options, "play", study, files) as runner:
        board = _Board(runner, game, loss)
        board.run(game.cases(board.played(game).strategies))
        played = board.search(game, tolerance) if respond else board.played(game)
        if played.complete:
            played = board.again(played)
        if runner.folder:
            with exporting(runner.folder, game.study, played.failed) as folder:
                write_tables(played.results, folder)
                played.export(folder)
    return played


class _Board:
    """Runs the cells of a game, and holds what came of them."""

    def __init__(self, runner: Runner, game: Game, loss: Loss) -> None:
        self.runner, self.loss = runner, loss
        self.keys = Keys(game.study)
        self.results = Results(game.study, (), runner.store, self.keys)

    def played(self, game: Game, searched: float = 0.0) -> Played:
        """A game, as far as it was played."""
        return Played(game, self.loss, self.results, searched=searched)

    def run(self, cases: Iterable[Case]) -> None:
        """Run cases that were not run before."""
        before = set(self.results.cases)
        new = [case for case in cases if case not in before]
        self.runner.progress.planned(len(new) * self.keys.study.replicates)
        self.results.expect(new)
        self.runner.run([(self.keys, new)])

    def search(self, game: Game, tolerance: float) -> Played:
        """The game with the best response of those that may be searched for, again and again, until
        none gains U more than the tolerance against the protocols' mixture."""
        while (played := self.played(game)).solution is not None:
            mixture = [name for name, weight in played.solution.protocols.items() if weight]
            new = game.unplayed()
            self.run(game.case(protocol, name) for name in new for protocol in mixture)
            if self.results.failed:
                break
            gains = {name: played.gain(name) for name in new}
            best = max(gains, key=gains.__getitem__, default="")
            if not best or gains[best] <= tolerance:
                return self.played(game, max(gains.values(), default=0.0))
            self.runner.progress.noted(f"{best!r} gains {gains[best]:.3f}")
            game = game.including(best)
            self.run(game.cases([best]))
        return self.played(game)

    def again(self, played: Played) -> Played:
        """The same with every protocol's worst case on as many fresh replicates."""
        game, runs = played.game, played.study.replicates
        cases = list(dict.fromkeys(game.case(*pair) for pair in played.worst_cases().items()))
        twice = played.study.model_copy(update={"replicates": 2 * runs})
        keys = Keys(twice)
        self.runner.progress.planned(len(cases) * runs)
        self.runner.run([(keys, cases)], since=runs)
        fresh = Results(twice, cases, self.runner.store, keys)
        return Played(game, played.loss, self.results, fresh, played.searched)

"""Students trained by gradient against scikit-learn's MLPClassifier, in one run, as ratios: python
-m benchmarks.students

Both take the same number of plain steps of one size on batches of one size, without momentum and
without penalty. scikit-learn fits the label sets one by one.
"""

from __future__ import annotations

import statistics
import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from benchmarks.speed import seconds
from oversight.students.gradient import GradientStudent

REPEATS = 9
SETS = 8
EPOCHS, BATCH, RATE = 20, 128, 0.02


def planted(items: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    """Normal features, and hard labels by SETS noisy overseers."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((items, features))
    noise = 2 * rng.standard_normal((items, SETS))
    return x, (x @ rng.standard_normal((features, SETS)) + noise > 0).astype(np.float64)


def fits(items: int, features: int, hidden: int) -> None:
    """One label set, and SETS together, against as many fits one by one."""
    x, labels = planted(items, features)
    student = GradientStudent(hidden=hidden, epochs=EPOCHS, batch=BATCH, rate=RATE)

    def theirs() -> MLPClassifier:
        model = MLPClassifier(
            (hidden,) if hidden else (),
            solver="sgd",
            alpha=0.0,
            batch_size=BATCH,
            learning_rate_init=RATE,
            momentum=0.0,
            nesterovs_momentum=False,
            max_iter=EPOCHS,
            tol=0.0,
            n_iter_no_change=EPOCHS,
        )
        return model.fit(x, labels[:, 0])

    student.fit(x, labels)
    one, together, alone = [], [], []
    for _ in range(REPEATS):
        one.append(seconds(lambda: student.fit(x, labels[:, :1])))
        alone.append(seconds(theirs))
        together.append(seconds(lambda: student.fit(x, labels)) / SETS)
    ratios = [
        statistics.median(b / a for a, b in zip(ours, alone, strict=True))
        for ours in (one, together)
    ]
    times = [1e3 * statistics.median(each) for each in (one, together, alone)]
    print(
        f"{items} x {features}, {hidden} hidden units, {EPOCHS} epochs: {times[0]:.0f} ms a fit, "
        f"{times[1]:.0f} ms where {SETS} train together; scikit-learn {times[2]:.0f} ms: "
        f"x {ratios[0]:.1f}, x {ratios[1]:.1f}"
    )


def students() -> None:
    warnings.filterwarnings("ignore")  # that so few epochs have not converged
    for size in ((4000, 32, 64), (4000, 32, 0), (4000, 64, 256)):
        fits(*size)


if __name__ == "__main__":
    with threadpool_limits(1):
        students()

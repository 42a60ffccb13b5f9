"""Our solver compared with other libraries' on features: many classes, long dense vectors.

    python benchmarks/feature_solvers.py [--rows 100000 --features 768 --classes 100]
        [--separation 0.15] [--l2 1e-3,1e-5,chosen] [--limit 8] [--peers lbfgs] [--plot curves.svg]
    python benchmarks/feature_solvers.py FEATURES.npz
    python benchmarks/feature_solvers.py --slice 40000 --features 512 --classes 1000

Without a file (arrays x and y) the features are made: normal within each class, with a power-law
spectrum, around class means with the same spectrum; a larger separation makes the classes easier to
tell apart. A fifth of the rows is for validation, which chooses l2 where "chosen" stands. Each peer
runs until it reaches our final objective, or --limit times our time (the median of three fits). The
clock is stopped while an objective is computed that the peer does not need. With --optimum our
objective is also compared with that of a fit with a tolerance of 3e-7. --slice
fits so many half-precision rows of a file, and prints the time of one pass and the peak memory.
"""

from __future__ import annotations

import argparse
import resource
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from curves import write_svg
from solvers import Curve, Reached, Recorder, clock, scikit_learn

from softmaxce.file_rows import FileRows
from softmaxce.row_threads import row_threads
from softmaxce.training.fit_progress import IterationInfo
from softmaxce.training.fitting import Fit, fit
from softmaxce.training.objective import Objective
from softmaxce.training.rows import Rows

BATCH = 512


@dataclass(frozen=True)
class Problem:
    """Training rows, the penalty, the objective to reach and the seconds that a peer may take."""

    x: np.ndarray
    labels: np.ndarray
    l2: float
    goal: float
    limit: float

    def objective(self, weights: np.ndarray, biases: np.ndarray) -> float:
        """Mean cross-entropy + (l2/2)·‖W‖², of weights (n_features, n_classes)."""
        total = 0.0
        for start in range(0, len(self.x), 8192):
            rows = slice(start, start + 8192)
            logits = (self.x[rows] @ weights.astype(np.float32) + biases).astype(np.float64)
            logits -= logits.max(axis=1, keepdims=True)
            picked = logits[np.arange(len(logits)), self.labels[rows]]
            total += float((np.log(np.exp(logits).sum(axis=1)) - picked).sum())
        return total / len(self.x) + self.l2 / 2 * float(np.sum(np.square(weights, dtype=float)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", help="an .npz file with arrays x and y")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--features", type=int, default=768)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--separation", type=float, default=0.15)
    parser.add_argument("--l2", default="1e-3,1e-5,chosen")
    parser.add_argument("--limit", type=float, default=8.5, help="times our time, for each peer")
    parser.add_argument(
        "--peers", default="", help="only peers with one of these words in their names"
    )
    parser.add_argument("--optimum", action="store_true")
    parser.add_argument("--plot", type=Path, help="write the curves to this SVG file")
    parser.add_argument("--slice", type=int, help="rows of a file, for one pass")
    options = parser.parse_args()
    if options.slice:
        one_pass(options.slice, options.features, options.classes)
        return
    if options.file:
        arrays = np.load(options.file)
        x, y = arrays["x"], np.unique(arrays["y"], return_inverse=True)[1]
        order = np.random.default_rng(0).permutation(len(x))
        x, y = x[order], y[order]
    else:
        x, y = made(options.rows * 5 // 4, options.features, options.classes, options.separation)
    n = len(x) * 4 // 5
    validation = Rows(x[n:], y[n:])
    words = options.l2.split(",")
    curves = {f"l2 = {w}": compare(x[:n], y[:n], validation, w, options) for w in words}
    if options.plot:
        options.plot.write_text(write_svg(curves), encoding="utf-8")


def made(
    n: int, n_features: int, n_classes: int, separation: float
) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, n_features), float32, of variance 1 within the classes, and labels."""
    rng = np.random.default_rng(0)
    spectrum = 1 / np.arange(1, n_features + 1)
    deviations = np.sqrt(spectrum * n_features / spectrum.sum()).astype(np.float32)
    rotation = np.linalg.qr(rng.standard_normal((n_features, n_features)))[0].astype(np.float32)
    means = separation * deviations * rng.standard_normal((n_classes, n_features), np.float32)
    labels, x = rng.integers(0, n_classes, n), np.empty((n, n_features), np.float32)
    for start in range(0, n, 8192):
        rows = slice(start, start + 8192)
        noise = rng.standard_normal((len(labels[rows]), n_features), np.float32)
        x[rows] = (noise * deviations + means[labels[rows]]) @ rotation
    return x, labels


def one_pass(n: int, n_features: int, n_classes: int) -> None:
    """The time of one pass over rows in a file, and the memory of a whole fit to them."""
    with TemporaryFile() as stream:
        x, y = made(n, n_features, n_classes, 0.15)
        stream.write(x.astype(np.float16).data)
        stream.flush()
        del x
        pixels = FileRows(stream.fileno(), "features", 0, (n, n_features), np.float16)
    with row_threads() as run_tasks:
        objective = Objective(Rows(pixels, y), n_classes, 1e-4, run_tasks=run_tasks)
        seconds = []
        for _ in range(5):
            start = clock()
            objective(np.zeros(objective.shape))
            seconds.append(clock() - start)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = fit(pixels, y, n_classes, scale=1.0, l2=1e-4)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{n:,} x {n_features}, {n_classes} classes, float16 in a file: {min(seconds):.2f} s a "
        f"pass, {n / min(seconds):,.0f} rows a second; {found.n_iterations} steps; peak memory "
        f"{peak / 1024:.0f} MB ({before / 1024:.0f} MB before the fit)"
    )


def compare(
    x: np.ndarray, y: np.ndarray, validation: Rows, word: str, options: argparse.Namespace
) -> dict[str, Curve]:
    """Print the table of one penalty; return the curves of objective against seconds."""
    n_classes, path_seconds = int(y.max()) + 1, None
    if word == "chosen":
        found, path_seconds, _ = timed(x, y, n_classes, validation=validation)
        l2 = found.l2
    else:
        l2 = float(word)
    runs = sorted((timed(x, y, n_classes, l2=l2) for _ in range(3)), key=lambda run: run[1])
    found, seconds, curve = runs[1]
    layer = found.layers[0]
    problem = Problem(x, y, l2, 0.0, options.limit * seconds)
    goal = problem.objective(layer.weights, layer.biases)
    problem = Problem(x, y, l2, goal, options.limit * seconds)
    right = (validation.pixels @ layer.weights + layer.biases).argmax(1) == validation.labels
    print(
        f"\n{len(x):,} x {x.shape[1]:,}, {n_classes:,} classes, l2 = {l2:.2g} ({word}), validation "
        f"accuracy {right.mean():.3f}"
    )
    print(f"{'solver':32} {'seconds':>8} {'objective':>10} {'ratio':>7}")
    print(f"{'softmaxce, ' + str(found.n_iterations) + ' steps':32} {seconds:8.2f} {goal:10.6f}")
    if path_seconds is not None:
        ratio = path_seconds / seconds
        print(f"{'softmaxce, choosing l2':32} {path_seconds:8.2f} {'':10} {ratio:7.1f}")
    if options.optimum:
        best = fit(x, y, n_classes, scale=1.0, l2=l2, tolerance=3e-7, max_iterations=1000)
        print(f"{'over the optimum':32} {'':8} {100 * (goal / best.objective - 1):9.3f}%")
    curves = {"softmaxce": curve}
    for name, run in PEERS.items():
        if any(word in name for word in options.peers.split(",")):
            peer = run(problem)
            report(name, peer, problem, seconds)
            curves |= {} if isinstance(peer, str) else {name: peer}
    return curves


def timed(
    x: np.ndarray, y: np.ndarray, n_classes: int, l2: float | None = None, **options: Rows
) -> tuple[Fit, float, Curve]:
    """Our fit, its seconds, and the curve of its last stage."""
    start, curve = clock(), []

    def note(info: IterationInfo) -> None:
        if info.stage == "fit":
            curve.append((clock() - start, info.objective))

    found = fit(x, y, n_classes, scale=1.0, l2=l2, on_iteration=note, **options)
    return found, clock() - start, curve


def report(name: str, curve: Curve | str, problem: Problem, ours: float) -> None:
    if isinstance(curve, str):
        print(f"{name:32} skipped: {curve}")
        return
    reached = [seconds for seconds, value in curve if value <= problem.goal]
    last = reached[0] if reached else curve[-1][0]
    best = min(value for _, value in curve)
    print(
        f"{name:32} {last:8.2f} {best:10.6f} {'' if reached else '>'}{last / ours:.1f}", flush=True
    )


# ── peers ───────────────────────────────────────────────────────────────────────────────────


def of_scikit_learn(solver: str) -> Callable[[Problem], Curve | str]:
    def run(problem: Problem) -> Curve | str:
        inverse = 1 / (problem.l2 * len(problem.x))
        watched = scikit_learn(solver, inverse)
        return watched(problem.x, problem.labels, problem.goal, problem.limit)

    return run


def cyanure(problem: Problem, n_epochs: int) -> object:
    from cyanure.estimators import Classifier

    return Classifier(
        loss="multiclass-logistic", penalty="l2", lambda_1=problem.l2, tol=1e-12,
        max_iter=n_epochs, fit_intercept=True, verbose=False,
    )  # fmt: skip


def intelex(problem: Problem, n_iterations: int) -> object:
    from sklearnex.linear_model import LogisticRegression

    inverse = 1 / (problem.l2 * len(problem.x))
    return LogisticRegression(solver="lbfgs", C=inverse, tol=1e-9, max_iter=n_iterations)


def refitted(make: Callable[[Problem, int], object]) -> Callable[[Problem], Curve | str]:
    """A solver that cannot be watched: once for each number of iterations, from the start."""

    def run(problem: Problem) -> Curve | str:
        curve: Curve = []
        for count in (5, 10, 20, 40, 80, 160, 320, 640):
            try:
                model = make(problem, count)
            except ImportError as error:
                return f"{error.name} is not installed"
            start = clock()
            model.fit(problem.x, problem.labels)
            seconds, coefficients = clock() - start, np.asarray(model.coef_)
            if len(coefficients) != problem.x.shape[1]:
                coefficients = coefficients.T
            biases = np.asarray(model.intercept_).reshape(-1)
            curve.append((seconds, problem.objective(coefficients, biases)))
            if curve[-1][1] <= problem.goal or seconds * 1.5 > problem.limit:
                break
        return curve

    return run


def torch_lbfgs(problem: Problem) -> Curve | str:
    """Full batch, strong Wolfe line search, history 20."""
    try:
        import torch
    except ImportError:
        return "PyTorch is not installed"
    x, y = torch.from_numpy(problem.x), torch.from_numpy(problem.labels)
    layer = torch.nn.Linear(x.shape[1], int(y.max()) + 1)
    torch.nn.init.zeros_(layer.weight), torch.nn.init.zeros_(layer.bias)
    optimiser = torch.optim.LBFGS(
        layer.parameters(), max_iter=100_000, history_size=20, tolerance_grad=0,
        tolerance_change=0, line_search_fn="strong_wolfe",
    )  # fmt: skip
    recorder = Recorder(problem.goal, problem.limit)

    def closure() -> object:
        optimiser.zero_grad()
        penalty = problem.l2 / 2 * layer.weight.square().sum()
        loss = torch.nn.functional.cross_entropy(layer(x), y) + penalty
        loss.backward()
        recorder.note(float(loss))
        return loss

    with suppress(Reached):
        optimiser.step(closure)
    return recorder.curve


def torch_epochs(kind: str, rate: float) -> Callable[[Problem], Curve | str]:
    """Mini-batches; the rate falls to 0 along a cosine over the time that the peer has."""

    def run(problem: Problem) -> Curve | str:
        try:
            import torch
        except ImportError:
            return "PyTorch is not installed"
        torch.manual_seed(0)
        x, y = torch.from_numpy(problem.x), torch.from_numpy(problem.labels)
        layer = torch.nn.Linear(x.shape[1], int(y.max()) + 1)
        options = {"momentum": 0.9, "nesterov": True} if kind == "SGD" else {}
        optimiser = getattr(torch.optim, kind)(
            layer.parameters(), lr=rate, weight_decay=0.0, **options
        )
        curve: Curve = []
        taken = 0.0
        while taken < problem.limit:
            start = clock()
            for group in optimiser.param_groups:
                group["lr"] = rate * (1 + np.cos(np.pi * min(1.0, taken / problem.limit))) / 2
            order = torch.randperm(len(x))
            for at in range(0, len(x), BATCH):
                rows = order[at : at + BATCH]
                optimiser.zero_grad()
                penalty = problem.l2 / 2 * layer.weight.square().sum()
                loss = torch.nn.functional.cross_entropy(layer(x[rows]), y[rows]) + penalty
                loss.backward()
                optimiser.step()
            taken += clock() - start
            weights = layer.weight.detach().numpy().T
            curve.append((taken, problem.objective(weights, layer.bias.detach().numpy())))
            if curve[-1][1] <= problem.goal:
                break
        return curve

    return run


def best_of(runs: dict[float, Callable[[Problem], Curve | str]]) -> Callable:
    """The run whose rate ends with the smallest objective; only its time counts."""

    def run(problem: Problem) -> Curve | str:
        curves = [run(problem) for run in runs.values()]
        if isinstance(curves[0], str):
            return curves[0]
        reached = [c for c in curves if c[-1][1] <= problem.goal]
        return min(reached or curves, key=lambda c: c[-1][0] if reached else c[-1][1])

    return run


PEERS = {
    "scikit-learn lbfgs": of_scikit_learn("lbfgs"),
    "scikit-learn newton-cg": of_scikit_learn("newton-cg"),
    "scikit-learn-intelex lbfgs": refitted(intelex),
    "Cyanure": refitted(cyanure),
    "PyTorch LBFGS": torch_lbfgs,
    "PyTorch SGD": best_of({rate: torch_epochs("SGD", rate) for rate in (0.03, 0.3)}),
    "PyTorch AdamW": best_of({rate: torch_epochs("AdamW", rate) for rate in (1e-3, 1e-2)}),
}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()

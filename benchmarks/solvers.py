"""Our solver compared with other libraries', on the same pixels and the same objective.

    python benchmarks/solvers.py mnist colour upscaled clothing --plot curves.svg
    python benchmarks/solvers.py hidden

SOFTMAXCE_DATA is the folder with mnist/ and clothing/, unpacked. Each other linear solver ("peer")
runs until it reaches our final objective or the time limit. Its objective is recorded at each
evaluation; the clock is stopped meanwhile. The ratio is the time that the fastest peer needs to
reach our final objective, divided by the time of our whole fit (the median of three). On a busy
machine --cpu gives steadier ratios: one thread for all solvers, and processor time.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from curves import write_svg
from PIL import Image

from softmaxce.training.fitting import fit
from softmaxce.training.mini_batch import BATCH_ROWS

Curve = list[tuple[float, float]]
Peer = tuple[str, Callable[..., "Curve | str"]]

clock, n_threads = time.perf_counter, None


class Reached(Exception):
    """The peer has reached the objective or the time limit."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", choices=[*SETS, "hidden"])
    parser.add_argument("--limit", type=float, default=180, help="seconds a peer may take")
    parser.add_argument("--dtypes", default="float32,float64", help="of the peers' pixels")
    parser.add_argument("--plot", type=Path, help="write the curves to this SVG file")
    parser.add_argument("--peers", default="", help="only peers with this in their name")
    parser.add_argument(
        "--steps",
        default="60,90,130,190,280,400,580,840,1200",
        help="iterations that a peer which cannot be watched is run with, in turn",
    )
    parser.add_argument("--cpu", action="store_true", help="one thread, processor's seconds")
    options = parser.parse_args()
    if options.cpu:
        global clock, n_threads
        from threadpoolctl import threadpool_limits

        threadpool_limits(1)
        clock, n_threads = time.process_time, 1
    curves: dict[str, dict[str, Curve]] = {}
    for name in options.sets:
        if name == "hidden":
            compare_hidden()
        else:
            steps = tuple(map(int, options.steps.split(",")))
            peers = [peer for peer in linear_peers(steps) if options.peers in peer[0]]
            curves[name] = compare(name, peers, options.limit, options.dtypes.split(","))
    if options.plot:
        options.plot.write_text(write_svg(curves), encoding="utf-8")


# ── pictures ────────────────────────────────────────────────────────────────────────────────


def read(folder: str, mode: str, size: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(uint8 pixels (n, height, width[, 3]), labels) of class folders."""
    root = Path(os.environ["SOFTMAXCE_DATA"]) / folder
    images, labels = [], []
    for label, place in enumerate(sorted(p for p in root.iterdir() if p.is_dir())):
        for file in sorted(place.iterdir()):
            with Image.open(file) as image:
                picture = image.convert(mode)
                images.append(np.asarray(picture.resize((size, size)) if size else picture))
                labels.append(label)
    return np.stack(images), np.array(labels)


def mnist() -> tuple[np.ndarray, np.ndarray]:
    """60,000 × 784."""
    return read("mnist/train", "L")


def clothing() -> tuple[np.ndarray, np.ndarray]:
    """The clothing photographs at 64 × 64 RGB: 3,068 × 12,288."""
    return read("clothing/train", "RGB", 64)


def colour() -> tuple[np.ndarray, np.ndarray]:
    """50,000 crops of the clothing photographs, varied in place, light and noise: 3,072 each."""
    rng = np.random.default_rng(0)
    photographs, labels = clothing()
    chosen = rng.integers(len(photographs), size=50_000)
    pictures = np.empty((len(chosen), 32, 32, 3), np.uint8)
    for row, photograph in enumerate(chosen):
        side = rng.integers(36, 65)
        top, left = rng.integers(0, 65 - side, 2)
        crop = Image.fromarray(photographs[photograph][top : top + side, left : left + side])
        values = np.asarray(crop.resize((32, 32), Image.Resampling.BILINEAR), np.float32)
        values = values[:, :: rng.choice([-1, 1])] - 128
        light = rng.uniform(0.7, 1.2) * values + 128 + rng.uniform(-25, 25)
        pictures[row] = np.clip(light + rng.normal(0, 6, values.shape), 0, 255)
    return pictures, labels[chosen]


def upscaled() -> tuple[np.ndarray, np.ndarray]:
    """50,000 digits of MNIST, enlarged to 32 × 32 and grey in three channels: 3,072 each."""
    digits, labels = mnist()
    chosen = np.sort(np.random.default_rng(0).choice(len(digits), 50_000, replace=False))
    pictures = np.empty((len(chosen), 32, 32, 3), np.uint8)
    for row, digit in enumerate(digits[chosen]):
        pictures[row] = np.asarray(Image.fromarray(digit).resize((32, 32)))[..., np.newaxis]
    return pictures, labels[chosen]


SETS = {f.__name__: f for f in (mnist, colour, upscaled, clothing)}


# ── linear fits ─────────────────────────────────────────────────────────────────────────────


def compare(name: str, peers: list[Peer], limit: float, dtypes: list[str]) -> dict[str, Curve]:
    """Print the table of one data set; return the curves of objective against seconds."""
    pictures, labels = SETS[name]()
    pixels = pictures.reshape(len(pictures), -1)
    n, n_classes = len(pixels), int(labels.max()) + 1
    optimum = fit(pixels, labels, n_classes, l2=1 / n, tolerance=3e-7).objective
    runs = [our_run(pixels, labels, n_classes) for _ in range(3)]
    seconds, goal, curve = sorted(runs)[1]
    print(f"\n{name}: {n} × {pixels.shape[1]}, {n_classes} classes, l2 = 1/{n}")
    print(f"{'solver':34} {'seconds':>8} {'objective':>10} {'over optimum':>13} {'ratio':>7}")
    report("softmaxce, whole fit", seconds, goal, optimum, "")
    curves = {"softmaxce": curve}
    for label, run in peers:
        for dtype in dtypes:
            scaled = (pixels / np.float32(255)).astype(dtype)
            peer, found = f"{label}, {dtype}", run(scaled, labels, goal, limit)
            if isinstance(found, str):
                print(f"{peer:34} skipped: {found}")
                break
            curves[peer] = found
            reached = [s for s, value in found if value <= goal]
            last = reached[0] if reached else found[-1][0]
            value = min(value for _, value in found)
            mark = f"{last / seconds:.1f}" if reached else f"> {last / seconds:.0f}"
            report(peer, last, value, optimum, mark)
    return curves


def report(name: str, seconds: float, value: float, optimum: float, ratio: str) -> None:
    over = f"{100 * (value / optimum - 1):.3f} %"
    print(f"{name:34} {seconds:8.2f} {value:10.5f} {over:>13} {ratio:>7}", flush=True)


def our_run(pixels: np.ndarray, labels: np.ndarray, n_classes: int) -> tuple[float, float, Curve]:
    """(seconds, final objective, curve) of our whole fit with default settings."""
    start, curve = clock(), []

    def note(info: object) -> None:
        curve.append((clock() - start, info.objective))

    found = fit(
        pixels, labels, n_classes, l2=1 / len(pixels), n_threads=n_threads, on_iteration=note
    )
    return clock() - start, found.objective, curve


class Recorder:
    """The curve of a peer: records (seconds, objective), and ends the run at the goal or limit."""

    def __init__(self, goal: float, limit: float) -> None:
        self.goal, self.limit = goal, limit
        self.curve: Curve = []
        self.start = clock()

    def note(self, objective: float) -> None:
        seconds = clock() - self.start
        self.curve.append((seconds, float(objective)))
        if objective <= self.goal or seconds > self.limit:
            raise Reached


def scikit_learn(solver: str, inverse: float = 1.0) -> Callable[..., Curve | str]:
    """Runs a solver of scikit-learn that evaluates its objective in Python: ours with
    l2 = 1 / (inverse · n)."""

    def run(x: np.ndarray, labels: np.ndarray, goal: float, limit: float) -> Curve | str:
        try:
            from sklearn.linear_model import LogisticRegression
            from sklearn.linear_model._linear_loss import LinearModelLoss
        except ImportError:
            return "scikit-learn is not installed"
        recorder = Recorder(goal, limit)
        original = {m: getattr(LinearModelLoss, m) for m in ("loss", "loss_gradient")}

        def noting(method: Callable, first: Callable) -> Callable:
            def call(*args: object, **kwargs: object) -> object:
                result = method(*args, **kwargs)
                recorder.note(first(result))
                return result

            return call

        LinearModelLoss.loss = noting(original["loss"], lambda r: r)
        LinearModelLoss.loss_gradient = noting(original["loss_gradient"], lambda r: r[0])
        try:
            recorder.start = clock()
            LogisticRegression(solver=solver, C=inverse, tol=1e-9, max_iter=10_000).fit(x, labels)
        except Reached:
            pass
        finally:
            for method, function in original.items():
                setattr(LinearModelLoss, method, function)
        return recorder.curve

    return run


def by_refitting(make: Callable[[int], object], iterations: tuple[int, ...]) -> Callable:
    """Runs a peer without callbacks: once for each number of iterations, from the start."""

    def run(x: np.ndarray, labels: np.ndarray, goal: float, limit: float) -> Curve | str:
        curve: Curve = []
        for count in iterations:
            try:
                model = make(count)
            except ImportError as error:
                return f"{error.name} is not installed"
            start = clock()
            model.fit(x, labels)
            curve.append((clock() - start, objective_of(model, x, labels)))
            # The next is about as many times slower as it has more iterations.
            if curve[-1][1] <= goal or curve[-1][0] * 1.5 > limit:
                break
        return curve

    return run


def objective_of(model: object, x: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross-entropy + (l2/2)·‖W‖² with l2 = 1/n."""
    logits = x.astype(np.float64) @ model.coef_.T.astype(np.float64) + model.intercept_
    logits -= logits.max(axis=1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    cross_entropy = -log_p[np.arange(len(labels)), labels].mean()
    return float(cross_entropy + 0.5 / len(labels) * np.sum(np.square(model.coef_, dtype=float)))


def saga(iterations: int) -> object:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(solver="saga", C=1.0, tol=1e-9, max_iter=iterations)


def intelex(iterations: int) -> object:
    from sklearnex.linear_model import LogisticRegression

    return LogisticRegression(solver="lbfgs", C=1.0, tol=1e-9, max_iter=iterations)


def linear_peers(steps: tuple[int, ...]) -> list[Peer]:
    return [
        ("scikit-learn lbfgs", scikit_learn("lbfgs")),
        ("scikit-learn newton-cg", scikit_learn("newton-cg")),
        ("scikit-learn saga", by_refitting(saga, (10, 20, 40, 80, 160))),
        ("scikit-learn-intelex lbfgs", by_refitting(intelex, steps)),
    ]


# ── hidden layers ───────────────────────────────────────────────────────────────────────────


N_TURNS, N_EPOCHS = 7, 3


def compare_hidden() -> None:
    """Epochs of a 784-128-10 network with ReLU, Adam and batches of the same size. The solvers
    alternate, so that other load affects all equally; the median of each turn's shortest epoch."""
    pictures, labels = mnist()
    pixels = pictures.reshape(len(pictures), -1)
    contenders = {"softmaxce": our_epochs}
    for name, make in HIDDEN_PEERS.items():
        try:
            contenders[name] = make(pixels, labels)
        except ImportError as error:
            print(f"{name:34} skipped: {error.name} is not installed")
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(N_TURNS):
        for name, epochs in contenders.items():
            taken[name].append(min(epochs(pixels, labels)))
    print(f"\n784-128-10 on MNIST, Adam, batches of {BATCH_ROWS}: seconds an epoch")
    ours = median(taken["softmaxce"])
    for name, seconds in taken.items():
        ratios = sorted(s / o for s, o in zip(seconds, taken["softmaxce"], strict=True))
        spread = f"{ratios[0]:.2f} … {ratios[-1]:.2f}"
        print(f"{name:34} {median(seconds):8.3f}   ratio {median(seconds) / ours:.2f} ({spread})")


def our_epochs(pixels: np.ndarray, labels: np.ndarray) -> list[float]:
    """Seconds of each epoch of our fit; the first includes the preparation."""
    marks = [clock()]
    fit(
        pixels,
        labels,
        10,
        hidden=(128,),
        max_iterations=N_EPOCHS,
        n_threads=n_threads,
        on_iteration=lambda _: marks.append(clock()),
    )
    return list(np.diff(marks))


Epochs = Callable[[np.ndarray, np.ndarray], list[float]]


def torch_epochs(n_torch_threads: int) -> Callable[[np.ndarray, np.ndarray], Epochs]:
    """PyTorch on the CPU; converting the pixels to scaled float tensors is not timed."""

    def make(pixels: np.ndarray, labels: np.ndarray) -> Epochs:
        import torch

        x, y = torch.from_numpy(pixels).float() / 255, torch.from_numpy(labels)
        layers = torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
        model, loss_of = torch.nn.Sequential(*layers), torch.nn.CrossEntropyLoss()
        adam = torch.optim.Adam(model.parameters(), lr=1e-3)

        def epoch() -> float:
            start = clock()
            order = torch.randperm(len(x))
            for at in range(0, len(x), BATCH_ROWS):
                rows = order[at : at + BATCH_ROWS]
                adam.zero_grad()
                loss_of(model(x[rows]), y[rows]).backward()
                adam.step()
            return clock() - start

        def epochs(*_: np.ndarray) -> list[float]:
            torch.set_num_threads(n_torch_threads)
            return [epoch() for _ in range(N_EPOCHS)]

        return epochs

    return make


def mlp_epochs(pixels: np.ndarray, labels: np.ndarray) -> Epochs:
    """scikit-learn's MLPClassifier."""
    from sklearn.neural_network import MLPClassifier

    x = pixels.astype(np.float32) / 255

    def epochs(*_: np.ndarray) -> list[float]:
        model = MLPClassifier((128,), batch_size=BATCH_ROWS, max_iter=1, random_state=0)
        start = clock()
        model.fit(x, labels)
        return [clock() - start]

    return epochs


HIDDEN_PEERS = {
    "PyTorch, one thread": torch_epochs(1),
    "PyTorch, two threads": torch_epochs(2),
    "scikit-learn MLPClassifier": mlp_epochs,
}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()

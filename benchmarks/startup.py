"""The time of `softmaxce predict` for one image, compared with importing what it needs.

    python benchmarks/startup.py [CHECKOUT]

Runs both commands alternately and prints the ratio of their median times. Required: at most 1.5.
With the folder of another checkout of this repository, it compares `train` on a few images and
`predict` in both checkouts instead. Required: at most 1.05 times those of the other.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from startup_explain import SCRIPT, medians

ROOT = Path(__file__).parent.parent
PETS = ROOT / "data" / "pets"
IMAGE = str(PETS / "test" / "cat" / "cat-001.png")
IMPORTS = [sys.executable, "-c", "import click, numpy, PIL.Image, rich.console, rich.table"]
N_RUNS = 30
N_IMAGES = 3  # of each class


def of(checkout: Path, *words: str) -> list[str]:
    """The command line of a checkout."""
    path = f"import sys; sys.path.insert(0, {str(checkout.resolve() / 'src')!r}); "
    return [sys.executable, "-c", path + SCRIPT, *words]


def compare(required: float, peer: list[str], ours: list[str]) -> None:
    """Time both and print the ratio."""
    before, now = medians(peer, ours, N_RUNS)
    print(f"{now:.3f} s against {before:.3f} s: ratio {now / before:.2f}", end=" ")
    print(f"(medians of {N_RUNS} runs in turn; asked: at most {required})")


def main() -> None:
    """Train on a few images, then time what the arguments ask for."""
    other = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with TemporaryDirectory() as folder:
        model = f"{folder}/model.npz"
        for image in PETS.glob(f"train/*/*-00[1-{N_IMAGES}].png"):
            target = Path(folder, "images", image.parent.name)
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(image, target)
        train = ("train", f"{folder}/images", "-o", model, "--quiet")
        predict = ("predict", IMAGE, "-m", model)
        subprocess.run(of(other or ROOT, *train), check=True, capture_output=True)
        if other is None:
            print("predict, against its imports: ", end="")
            compare(1.5, IMPORTS, of(ROOT, *predict))
            return
        for words in (train, predict):
            print(f"{words[0]}, against {other}: ", end="")
            compare(1.05, of(other, *words), of(ROOT, *words))


if __name__ == "__main__":
    main()

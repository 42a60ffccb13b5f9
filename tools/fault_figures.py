"""Prints the worst case of the hostile models and images of these tests: for SECURITY.md."""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).parents[1] / "tests"),
    str(Path(__file__).parents[1] / "tests" / "faults"),
]

from fault_tools import Measured, measured  # noqa: E402
from hostile_models import HOSTILE  # noqa: E402
from test_hostile_images import BOMBS, read_all  # noqa: E402

from softmaxce.model.model_file import load_model  # noqa: E402


def worst(title: str, outcomes: dict[str, Measured]) -> None:
    slowest = max(outcomes, key=lambda name: outcomes[name].seconds)
    largest = max(outcomes, key=lambda name: outcomes[name].megabytes)
    print(
        f"{len(outcomes)} {title}: slowest {outcomes[slowest].seconds:.2f} s ({slowest}), "
        f"largest {outcomes[largest].megabytes:.0f} MB ({largest})"
    )


def main() -> None:
    warnings.simplefilter("ignore")
    models, images = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        for hostile in HOSTILE:
            path.write_bytes(hostile.content())
            models[hostile.name] = measured(lambda: load_model(path))
    for name, make_image in BOMBS.items():
        content = make_image()
        images[name] = measured(lambda content=content: read_all(iter([content])))
    worst("hostile models", models)
    worst("hostile images", images)


if __name__ == "__main__":
    main()

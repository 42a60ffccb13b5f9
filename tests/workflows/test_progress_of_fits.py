"""Progress over several fits."""

from __future__ import annotations

import re

from helpers import PETS

from softmaxce.workflows.train import TrainOptions, train


def test_the_progress_of_the_fits_never_goes_back(tmp_path):
    for options in (TrainOptions(), TrainOptions(l2=0.01), TrainOptions(hidden=(4,))):
        seen = []
        train(PETS, tmp_path / "m.npz", options, on_progress=seen.append)
        fitting = [p for p in seen if p.stage == "Fitting"]
        fractions = [p.fraction for p in fitting]
        assert fractions == sorted(fractions)
        assert fractions[0] >= 0
        assert fractions[-1] <= 1
        penalties = [int(n) for p in fitting for n in re.findall(r"penalty (\d+)", p.detail)]
        assert sorted(set(penalties)) == list(range(1, len(set(penalties)) + 1))
        assert bool(penalties) == (options.l2 is None and not options.hidden)

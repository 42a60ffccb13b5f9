"""The result of `train` as text."""

from __future__ import annotations

from softmaxce.errors import AlreadyTrained, first_and_more
from softmaxce.views.console import PlainConsole, output
from softmaxce.views.descriptions import (
    choices_made,
    features_line,
    overlap_line,
    time_line,
    training_outcome,
)
from softmaxce.views.formatting import change, command, nats, percent, sparkline
from softmaxce.views.score_tables import SPLIT_TITLES, by_recall, class_table, splits_table
from softmaxce.workflows.train import TrainResult, seconds_of_patches

_LEGEND = (
    "majority: the accuracy of always predicting the most frequent class.\n"
    "uniform: the cross-entropy (nats) of a uniform prediction, ln K; 0 is perfect."
)


def show(result: TrainResult) -> None:
    """Print the result."""
    console = output()
    _show_data(console, result)
    _show_scores(console, result)
    for split, copies in result.overlaps.items():
        console.print(overlap_line(SPLIT_TITLES[split], copies))
    _show_training(console, result)


def show_finished(finished: AlreadyTrained) -> None:
    """Print that an earlier run has done everything."""
    output().print_line(f"Nothing left to do: {finished}.")


def _show_data(console: PlainConsole, result: TrainResult) -> None:
    names, folders = result.model.class_names, result.folders
    preprocessing = result.model.preprocessing
    console.print_line(f"{len(names)} classes: {first_and_more(names)}")
    n_pixels = preprocessing.n_pixels
    console.print_line(f"Preprocessing: {preprocessing}, {n_pixels:,} pixel values per image")
    console.print_line(f"({result.scored['train'].subset.dataset.preprocessing_reason})")
    if result.model.patches is not None:
        console.print_line(f"Features: {features_line(result.model.patches)}")
    if (trial := result.mirror_trial) is not None:
        which = "with" if trial.is_symmetric else "without"
        difference = f"{-trial.gain:+.4f} ± {trial.standard_error:.4f}".replace("-", "−")
        console.print_line(
            f"({which} mirror symmetry; cross-entropy in a trial without it: {difference})"
        )
    validation = "none; all images are used for training"
    if "validation" in folders:
        validation = str(folders["validation"])
    elif (scored := result.scored.get("validation")) is not None:
        validation = f"{scored.scores.n_images:,} images from {folders['train']}"
    console.print_line(f"Validation set: {validation}")
    if "test" in folders:
        console.print_line(f"Test set: {folders['test']}")


def _show_scores(console: PlainConsole, result: TrainResult) -> None:
    splits = {split: scored.scores for split, scored in result.scored.items()}
    console.print_heading("Scores")
    console.print_table(*splits_table(splits))
    console.print(_LEGEND, style="dim")
    if choices := choices_made(result.model, result.fit.l2_path):
        advice = "." if "test" in splits else "; run 'evaluate' on a separate test set."
        console.print(
            f"The validation images were also used to choose {choices},\n"
            f"so their scores are slightly optimistic{advice}",
            style="dim",
        )
    split, scores = list(splits.items())[-1]
    console.print_heading(f"Scores of each class ({SPLIT_TITLES[split]} images)")
    console.print_class_table(*class_table(result.model.class_names, scores), *by_recall(scores))
    console.print()


def _show_training(console: PlainConsole, result: TrainResult) -> None:
    fit, seconds = result.fit, result.seconds
    console.print_line(f"Training {training_outcome(result.model.training['stop_reason'])}.")
    chosen = ", chosen by validation cross-entropy" if fit.l2_path else ""
    console.print_line(f"Penalty l2 = {fit.l2:.3g}{chosen}.")
    if result.objective_history:
        stage, values = max(result.objective_history, key=lambda fit: fit[1][0] - fit[1][-1])
        ends = f"{nats(values[0])} {sparkline(values)} {nats(values[-1])}"
        console.print_line(f"Objective during one of the fits ({stage}): {ends}")
    _show_temperature(console, result)
    console.print_line(f"Time: {time_line(seconds)}, {seconds['total']:.1f} s total.")
    console.print_line(f"Model: {result.model_path}")
    model = [] if result.model_path == "model.npz" else ["-m", result.model_path]
    image = f"./{result.example}" if result.example.startswith("-") else result.example
    console.print_line(f"Next:  {command('softmaxce', 'predict', image, *model)}")
    if (seconds_more := seconds_of_patches(result)) is not None:
        cost = f"{seconds_more:.0f} s" if seconds_more < 100 else f"{seconds_more / 60:.0f} minutes"
        console.print_line(
            f"Try:   --features patches, which is often much better for photographs (about {cost})"
        )


def _show_temperature(console: PlainConsole, result: TrainResult) -> None:
    validation = result.scored.get("validation")
    if validation is None or result.model.temperature == 1.0:
        console.print("Temperature 1: not calibrated.")
        return
    before, after = validation.uncalibrated, validation.scores
    cross_entropy = change(nats(before.cross_entropy), nats(after.cross_entropy))
    errors = (before.expected_calibration_error, after.expected_calibration_error)
    console.print(
        f"Temperature {result.model.temperature:.3g}: validation cross-entropy {cross_entropy}.\n"
        f"Calibration error on the validation images: {change(*map(percent, errors))}."
    )

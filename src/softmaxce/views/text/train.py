"""The result of `train` as text."""

from __future__ import annotations

from pathlib import Path

from softmaxce.errors import AlreadyTrained, first_and_more
from softmaxce.translation import translate
from softmaxce.views.console import PlainConsole, output
from softmaxce.views.descriptions import (
    choices_made,
    cross_validation_line,
    features_line,
    groups_line,
    overlap_line,
    preprocessing_line,
    time_line,
    training_outcome,
)
from softmaxce.views.formatting import change, command, counted, nats, percent, sparkline
from softmaxce.views.score_tables import SPLIT_TITLES, by_recall, class_table, splits_table
from softmaxce.views.text.assessment import show_assessment, show_classes, show_confusions
from softmaxce.workflows.assessment import Assessment
from softmaxce.workflows.train import TrainResult

_N_CONFUSIONS = 3
_LEGEND = {
    "majority": "the accuracy of always predicting the most frequent class",
    "balanced": "the mean recall of the classes",
    "cross-entropy": "in nats; 0 is perfect, a uniform prediction scores ln {0} = {1}",
}


def show(result: TrainResult, found: Assessment, command_line: str, details: bool) -> None:
    """Print the result. details: also the calibration and the scores of every class."""
    console, names = output(), result.model.class_names
    split, scored = list(result.scored.items())[-1]
    images = f"{SPLIT_TITLES[split]} images"
    show_assessment(console, found, command_line)
    _show_scores(console, result)
    for other, copies in result.overlaps.items():
        if other == split and found.verdict.kind == "copies":
            continue
        console.print_wrapped(overlap_line(SPLIT_TITLES[other], copies))
    show_classes(console, names, scored.scores, images)
    show_confusions(console, names, scored.scores, _N_CONFUSIONS)
    if details:
        _show_details(console, result)
        console.print_heading(f"Scores of each class ({images})")
        scores = scored.scores
        console.print_class_table(*class_table(names, scores), *by_recall(scores))
    console.print()
    _show_outcome(console, result)


def show_finished(finished: AlreadyTrained) -> None:
    """Print that an earlier run has done everything."""
    output().print_line(f"Nothing left to do: {finished}.")


def _show_details(console: PlainConsole, result: TrainResult) -> None:
    console.print_heading("Data and training")
    names, folders = result.model.class_names, result.folders
    console.print_line(f"{len(names)} classes: {first_and_more(names)}")
    console.print_data(": ".join(map(translate, preprocessing_line(result.model.preprocessing))))
    if reason := result.scored["train"].subset.dataset.preprocessing_reason:
        console.print_data(f"({translate(reason)})")
    if result.model.patches is not None:
        console.print_line(f"Features: {features_line(result.model.patches)}")
    if (trial := result.mirror_trial) is not None:
        which = "with" if trial.is_symmetric else "without"
        difference = f"{-trial.gain:+.4f} ± {trial.standard_error:.4f}".replace("-", "−")
        console.print_line(
            f"({which} mirror symmetry; cross-entropy in a trial without it: {difference})"
        )
    validation = "Validation set: none; all images are used for training"
    if (folded := result.cross_validation) is not None:
        low, high = (f"{bound(folded.out_of_fold.l2):.3g}" for bound in (min, max))
        validation = f"Cross-validation: {folded.n_folds} folds, l2 = {low} to {high}"
    if "validation" in folders:
        validation = f"Validation set: {folders['validation']}"
    elif (scored := result.scored.get("validation")) is not None:
        n_images = counted(scored.scores.n_images, "image")
        validation = f"Validation set: {n_images} from {folders['train']}"
    console.print_line(validation)
    if "test" in folders:
        console.print_line(f"Test set: {folders['test']}")
    elif (scored := result.scored.get("test")) is not None:
        n_images = counted(scored.scores.n_images, "image")
        console.print_line(f"Test set: {n_images} from {folders['train']}")
    if result.objective_history:
        stage, values = max(result.objective_history, key=lambda fit: fit[1][0] - fit[1][-1])
        ends = f"{nats(values[0])} {sparkline(values)} {nats(values[-1])}"
        console.print_line(f"Objective of the longest descent ({stage}): {ends}")
    _show_temperature(console, result)


def _show_scores(console: PlainConsole, result: TrainResult) -> None:
    splits = {split: scored.scores for split, scored in result.scored.items()}
    console.print_heading("Scores")
    shown = console.print_table(*splits_table(splits), less=(5, 4))
    n_classes = result.model.n_classes
    uniform = nats(splits["train"].chance_cross_entropy)
    legend = [
        f"{translate(name)}: {translate(meaning.format(n_classes, uniform))}"
        for name, meaning in _LEGEND.items()
        if translate(name) in shown
    ]
    console.print_wrapped(". ".join(legend) + ".", "dim")
    if line := groups_line(result.grouping):
        console.print_wrapped(line)
    if (folded := result.cross_validation) is not None:
        console.print_wrapped(cross_validation_line(folded), "dim")
    elif choices := choices_made(result.model, result.fit.l2_path):
        advice = "" if "test" in splits else "; run 'evaluate' on a separate test set"
        console.print_wrapped(
            f"The validation images were also used to choose {choices}, so their scores are "
            f"slightly optimistic{advice}.",
            "dim",
        )


def _show_outcome(console: PlainConsole, result: TrainResult) -> None:
    fit, seconds = result.fit, result.seconds
    l2 = f"{fit.l2:.3g}"
    l2 = f"{l2}, chosen by validation" if fit.l2_path else l2
    if (folded := result.cross_validation) and len({*folded.out_of_fold.l2}) > 1:
        l2 = f"{l2}, the median of the folds"
    outcome = training_outcome(result.model.training["stop_reason"])
    console.print_wrapped(f"Training {outcome}; l2 = {l2}.")
    if (network := result.model.network) is not None:
        console.print_wrapped(f"Features: {features_line(network)}")
    console.print_line(f"Time: {time_line(seconds)}, {seconds['total']:.1f} s total.")
    console.print_line(f"Model: {result.model_path}")
    model = [] if result.model_path == "model.npz" else ["-m", result.model_path]
    image = f"./{result.example}" if result.example.startswith("-") else result.example
    if network and not _are_together(network.opened.path, result.model_path):
        model += ["--network", network.opened.path]
    console.print_line(f"Next:  {command('softmaxce', 'predict', image, *model)}")


def _are_together(path: str, other: str) -> bool:
    """Whether two files are in one folder."""
    return Path(path).absolute().parent == Path(other).absolute().parent


def _show_temperature(console: PlainConsole, result: TrainResult) -> None:
    validation = result.validated
    if validation is None or result.model.temperature == 1.0:
        console.print("Temperature 1: not calibrated.")
        return
    before, after = validation.uncalibrated, validation.scores
    images = "validation" if result.cross_validation is None else "cross-validated"
    cross_entropy = change(nats(before.cross_entropy), nats(after.cross_entropy))
    errors = (before.expected_calibration_error, after.expected_calibration_error)
    console.print(
        f"Temperature {result.model.temperature:.3g}: validation cross-entropy {cross_entropy}.\n"
        f"Calibration error on the {images} images: {change(*map(percent, errors))}."
    )

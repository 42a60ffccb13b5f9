"""The text of the steps: plain data that names its numbers. English; catalogs translate it."""

from __future__ import annotations

from dataclasses import replace

from softmaxce.lesson.step import ALWAYS, Check, Column, Formula, Question, StepTemplate, Table

CLASS = Column("class", "classes", "text")
TARGET = Column("target y", "targets")
PROBABILITY = Column("probability p", "probabilities")
LOGIT = Column("logit z", "logits")


def class_table(*columns: Column, when: str = ALWAYS) -> Table:
    """A table with one row per class, the names of the classes first."""
    return Table((CLASS, *columns), when=when)


def table(*columns: Column, when: str = ALWAYS) -> Table:
    """A table whose rows are not the classes."""
    return Table(columns, per_class=False, when=when)


EACH_VALUE = (
    "Each value is one input feature: {n_pixels} in total, from {first_values} … to … "
    "{last_values}."
)
IMAGE = StepTemplate(
    name="image",
    title="From image to input",
    claim="An image is a grid of pixels. Its rows, laid end to end, form the input vector.",
    formula=Formula(
        "index = (row · width + column) · channels + channel",
        r"\text{index} = (\text{row} \cdot \text{width} + \text{column}) \cdot "
        r"\text{channels} + \text{channel}",
    ),
    sentences={
        "The model sees {height} rows of {width} pixels: {n_places} pixels, each with a brightness "
        "from 0 (black) to 255 (white), one of 256 values.": "grey",
        "The model sees {height} rows of {width} pixels: {n_places} pixels, each with three "
        "brightnesses from 0 to 255 (256 values), for red, green and blue.": "coloured",
        "A full-HD image has 1920 × 1080 = 2,073,600 pixels.": ALWAYS,
        EACH_VALUE: ALWAYS,
        "Counting from 0, row {row}, column {column} holds the brightest value, {brightness}. In "
        "the vector its index is {index}. Around it, columns {first_column} to "
        "{last_column}:": ALWAYS,
    },
    tables=(table(Column("row", "rows"), Column("brightness", "cells", "text")),),
    checks=(
        Check("The vector holds height × width × channels values", "n_pixels", "product"),
        Check("Grid and vector hold the same value there", "in_vector", "brightness"),
        Check("Values that differ between the joined rows and the vector", "rows_end_to_end", 0.0),
    ),
    question=Question("How many values does the input vector hold?", "n_pixels"),
)

NODES = {
    "Two classes: this is binary classification.": "binary",
    "{n_classes} classes: this is multi-class classification.": "multi_class",
    "A model that predicts one quantity, such as the price of a house, has one output node and "
    "gives one number: that is regression.": ALWAYS,
}
ANY_NUMBER = {
    "A logit can be any number, positive or negative. It is not a probability yet.": ALWAYS
}
LOGITS = StepTemplate(
    name="logits",
    title="From input to logits",
    claim="The last layer has one node per class, so it gives one number per class: the logits.",
    sentences=NODES | ANY_NUMBER,
    tables=(class_table(LOGIT),),
    question=Question("How many logits does a model with these classes give?", "n_classes"),
)

LOGITS_OF_IMAGE = replace(
    LOGITS,
    formula=Formula("z = xW + b", r"z = xW + b"),
    sentences={
        **NODES,
        "The forward pass: each brightness, divided by 255, is multiplied by its weight for the "
        "class. The products and the bias sum to the logit.": "linear",
        "The forward pass goes through {n_layers} layers. Here a pixel's contribution is gradient "
        "× input, an approximation that holds while the same hidden nodes stay active.": "hidden",
        **ANY_NUMBER,
        "Class {winner} has the highest logit. Below: what each region of the image adds to it, "
        "and the pixels that change it most.": ALWAYS,
    },
    tables=(
        class_table(Column("pixels", "sums"), Column("bias", "biases"), LOGIT),
        table(
            Column("region", "regions", "word"),
            Column("brightness", "region_brightness"),
            Column("contribution", "region_sums"),
            when="has_regions",
        ),
        table(
            Column("row", "pixel_rows"),
            Column("column", "pixel_columns"),
            Column("brightness", "pixel_brightness"),
            Column("weight", "pixel_weights"),
            Column("contribution", "pixel_contributions"),
        ),
    ),
    checks=(
        Check(
            "Pixels and bias sum to the model's logits", "sums_and_biases", "logits", tolerance=1e-9
        ),
    ),
    question=Question("How many logits does the model give?", "n_classes"),
)

SHARES = StepTemplate(
    name="shares",
    title="First idea: shares of the total",
    claim="Divide each logit by the sum of all logits. The shares sum to 1, but this breaks down "
    "easily.",
    formula=Formula("shareₖ = zₖ / Σⱼ zⱼ", r"\text{share}_k = \frac{z_k}{\sum_j z_j}"),
    sentences={
        "The logits sum to {total}. Here the shares look like probabilities.": "fits",
        "The logits sum to {total}. A share below 0 or above 1 is not a probability.": "mixed",
        "All logits are negative, so the order is reversed: the smallest logit gets the largest "
        "share.": "upside_down",
        "Your logits sum to 0, and nothing can be divided by 0.": "cancels",
        "A negative logit breaks this idea: −1, 2 and −0.5 give the shares −2, 4 and −1.": (
            "show_negative"
        ),
        "So do logits that cancel out: 1 and −1 sum to 0, and nothing can be divided by "
        "0.": "show_cancelling",
    },
    tables=(class_table(LOGIT, Column("share", "shares"), when="divides"),),
    checks=(
        Check("The shares sum to 1", "sum_of_shares", 1.0, "=", "sum_tolerance", "divides"),
        Check("The sum of the logits is 0", "total", 0.0, when="cancels"),
    ),
    question=Question("What is the sum of the logits?", "total"),
)

EXPONENTIALS = StepTemplate(
    name="exponentials",
    title="Make everything positive",
    claim="A power of a positive number is positive, whatever the exponent. So use aᶻ.",
    formula=Formula("a^z > 0", r"a^{z} > 0"),
    sentences={
        "Each logit is first divided by the temperature, {temperature}.": "tempered",
        "Any base above 1 works, because aᶻ = e^(z · ln a): another base only scales the "
        "exponents, as a temperature does.": ALWAYS,
        "We use e = 2.718… because the natural logarithm, which comes later, undoes it.": ALWAYS,
        "Some of these powers exceed the largest number that the computer can store (1.8×10³⁰⁸). "
        "Step “Softmax” solves this.": "too_big",
        "Some of these powers are so small that the computer rounds them to 0. Step “Softmax” "
        "solves this.": "vanishes",
    },
    tables=(
        class_table(
            Column("z", "logits"),
            Column("2ᶻ", "powers_of_2", "power"),
            Column("2.7ᶻ", "powers_of_2_7", "power"),
            Column("eᶻ", "powers_of_e", "power"),
        ),
    ),
    checks=(Check("Base 2 gives the same shares as e^(z · ln 2)", "base_2", "softmax_ln_2"),),
    question=Question("What is e raised to the first of these numbers?", "first_power"),
)

SOFTMAX = StepTemplate(
    name="softmax",
    title="Softmax",
    claim="Divide each power of e by the sum of all of them. The results are the probabilities.",
    formula=Formula("pₖ = e^zₖ / Σⱼ e^zⱼ", r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}"),
    sentences={
        "First subtract the largest logit, {largest}, from every logit. This changes nothing, "
        "because it divides numerator and denominator by the same number, and no power then "
        "exceeds e⁰ = 1.": ALWAYS,
        "Without this, the computation would fail here: the powers of e are outside the range of "
        "numbers that the computer can store.": "direct_fails",
        "The most probable class is {winner}, with p = {p_winner}.": ALWAYS,
    },
    tables=(
        class_table(
            Column("z − largest", "shifted", "power"),
            Column("e^(z − largest)", "powers"),
            PROBABILITY,
        ),
    ),
    checks=(
        Check("The probabilities sum to 1", "sum_of_probabilities", 1.0),
        Check(
            "Adding 10 to every logit changes nothing",
            "shifted_by_10",
            "probabilities",
            tolerance=1e-9,
            when="shiftable",
        ),
        Check(
            "Without the subtraction, the result is the same",
            "direct",
            "probabilities",
            when="direct_works",
        ),
        Check(
            "Only differences matter: 1 / Σⱼ e^(zⱼ − zₖ) gives the same",
            "pairwise",
            "probabilities",
        ),
    ),
    question=Question("What is the highest probability?", "p_winner"),
)

TARGET_STEP = StepTemplate(
    name="target",
    title="The target",
    claim="The correct answer becomes a vector too: 1 at the true class, 0 elsewhere (one-hot).",
    formula=Formula(
        "yₖ = 1 (k = label), 0 (k ≠ label)",
        r"y_k = 1\;(k = \text{label}), \quad 0\;(k \ne \text{label})",
    ),
    sentences={
        "Labels are integers, counted from 0. Here the label is {label}.": ALWAYS,
        "No label was given, so class {true_class} is assumed to be the true "
        "one.": "label_is_assumed",
    },
    tables=(class_table(Column("index", "indices"), TARGET),),
    checks=(
        Check("The target sums to 1, as probabilities do", "sum_of_targets", 1.0),
        Check("The index of the 1 is the label", "place_of_1", "label"),
    ),
    question=Question("What is the index of the 1, counted from 0?", "label"),
)

SQUARED_ERROR = StepTemplate(
    name="squared_error",
    title="Why not squared error?",
    claim="A wrong answer should cost far more than an imprecise one. "
    "Squared error never exceeds 2.",
    formula=Formula("Σₖ (pₖ − yₖ)²", r"\sum_k (p_k - y_k)^2"),
    sentences={
        "From p = 0.01 to p = 0.001, squared error grows by {squared_growth} and cross-entropy by "
        "{loss_growth}. Cross-entropy keeps growing without bound.": ALWAYS,
        "Your prediction, with p = {p_true}, has squared error {squared_error} and cross-entropy "
        "{loss}.": ALWAYS,
        "As the probability of the true class falls and one wrong class gets the rest:": ALWAYS,
    },
    tables=(
        table(
            Column("p of the true class", "p_true_falls"),
            Column("squared error", "squared_errors"),
            Column("cross-entropy", "cross_entropies"),
        ),
    ),
    checks=(
        Check("Your squared error is at most 2", "squared_error", 2.0, "≤"),
        Check("A tenth of the probability costs ln 10 more", "loss_growth", "ln_10"),
    ),
    question=Question("What is the squared error of this prediction?", "squared_error"),
)


def _terms(kind: str, when: str) -> Table:
    """The terms of the cross-entropy, infinite ones shown as ∞ ("number") or "too large"."""
    surprises, terms = Column("−log p", "surprises", kind), Column("y · (−log p)", "terms", kind)
    return class_table(TARGET, PROBABILITY, surprises, terms, when=when)


CROSS_ENTROPY = StepTemplate(
    name="cross_entropy",
    title="Cross-entropy",
    claim="The loss is −Σ yₖ log pₖ. Wrong classes are multiplied by 0: only −log p[true] is left.",
    formula=Formula("loss = −Σₖ yₖ log pₖ", r"\text{loss} = -\sum_k y_k \log p_k"),
    sentences={
        "log is the natural logarithm, which undoes eˣ.": ALWAYS,
        "−log p is the information in an event of probability p: how much we learn, or how "
        "surprised we are, when it happens.": ALWAYS,
        "The true class {true_class} has p = {p_true}, so the loss is {loss} nats.": ALWAYS,
        "This p is above 0, but so small that the computer rounds it to 0. Its logarithm is not "
        "lost, because it is computed directly from the logits.": "vanishes",
        "The loss is finite, but exceeds 1.8×10³⁰⁸, the largest number that the computer can "
        "store.": "exceeds_float",
        "With log₂ it is {bits} bits: another base only changes the unit.": "finite",
        "Its perplexity e^loss is {perplexity}: as uncertain as a choice among that many equally "
        "likely classes.": "has_perplexity",
        "A uniform prediction over {n_classes} classes costs ln {n_classes} = {blind}.": ALWAYS,
        "This prediction costs less.": "better",
        "This prediction costs more.": "worse",
        "This prediction costs the same.": "same",
        "The mean information of the prediction itself is its entropy, {entropy}: a measure of its "
        "uncertainty.": ALWAYS,
    },
    tables=(_terms("number", "may_be_infinite"), _terms("power", "never_infinite")),
    checks=(
        Check("The terms sum to −log p[true]", "cross_entropy", "loss"),
        Check("e raised to −loss is p[true] again", "exp_minus_loss", "p_true"),
    ),
    question=Question("What is the cross-entropy, in nats?", "loss"),
)

TWO_ENDS = StepTemplate(
    name="two_ends",
    title="The two extremes",
    claim="A perfect prediction costs 0. A perfectly wrong one costs ∞.",
    formula=Formula("−log 1 = 0,  −log 0 = ∞", r"-\log 1 = 0, \quad {-\log 0} = \infty"),
    sentences={
        "Your prediction is perfect: it costs 0.": "is_perfect",
        "Your prediction is perfectly wrong: it gives the true class probability 0, so it costs "
        "∞.": "is_infinite",
        "The softmax of finite logits can come close to both ends, but reaches neither.": ALWAYS,
    },
    tables=(
        table(
            Column("prediction", "ends", "word"),
            Column("p of the true class", "p_at_ends"),
            Column("cross-entropy", "loss_at_ends"),
        ),
    ),
    checks=(
        Check("A perfect prediction costs 0", "perfect", 0.0),
        Check("A perfectly wrong prediction costs ∞", "wrong", "infinity"),
        Check("Your prediction costs at least as much as a perfect one", "perfect", "loss", "≤"),
    ),
    question=Question("What does a perfect prediction cost?", "perfect"),
)

NO_DISTANCE = StepTemplate(
    name="no_distance",
    title="Cross-entropy is not a distance",
    claim="A distance is the same in both directions. Cross-entropy is not.",
    formula=Formula("H(p, q) = H(p) + KL(p ‖ q)", r"H(p, q) = H(p) + \text{KL}(p \,\|\, q)"),
    sentences={
        "(target, prediction) gives {target_prediction}; (prediction, target) gives "
        "{prediction_target}.": "differs",
        "Here both directions happen to agree.": "same_both_ways",
        "Cross-entropy is the entropy, which is the uncertainty that is there anyway, plus the KL "
        "divergence, which is the price of a wrong prediction. A one-hot target has entropy 0, so "
        "here the whole loss is KL divergence.": ALWAYS,
        "KL divergence is not a distance either: compare the last two rows, which exchange the "
        "prediction and a uniform one.": ALWAYS,
    },
    tables=(table(Column("quantity", "quantities", "word"), Column("nats", "values")),),
    checks=(
        Check("Loss = entropy of the target + KL", "target_prediction", "entropy_plus_kl"),
        Check(
            "The same holds for (prediction, uniform)", "prediction_blind", "entropy_plus_kl_blind"
        ),
    ),
    question=Question("What is the cross-entropy of (prediction, target)?", "prediction_target"),
)

GRADIENT = StepTemplate(
    name="gradient",
    title="How training uses it",
    claim="The gradient of the loss with respect to the logits is p − y: prediction minus target.",
    formula=Formula(
        "∂loss/∂zₖ = pₖ − yₖ", r"\frac{\partial\, \text{loss}}{\partial z_k} = p_k - y_k"
    ),
    sentences={
        "Gradient descent moves each logit against its gradient: the logit of the true class goes "
        "up, every other logit goes down.": ALWAYS,
        "The gradient is divided by the temperature, {temperature}.": "tempered",
        "One step with learning rate {learning_rate} changes the loss from {loss} to "
        "{loss_after}.": "moves",
        "The step is too small to change these logits: it is lost in the computer's "
        "rounding.": "too_small_to_move",
        "The loss is infinite, and is still infinite after one step: the logit of the true class "
        "is −∞.": "infinite",
        "The gradient is passed on from the logits backwards, layer by layer, to every weight: "
        "back-propagation.": ALWAYS,
    },
    tables=(
        class_table(
            PROBABILITY, TARGET, Column("gradient", "gradient"), Column("new logit", "new_logits")
        ),
    ),
    checks=(
        Check(
            "Finite differences (each logit moved a little) give the same gradient",
            "finite_differences",
            "gradient",
            tolerance=1e-8,
        ),
        Check("The gradient sums to 0", "sum_of_gradient", 0.0, tolerance=1e-11),
        Check("The loss after the step is smaller", "loss_after", "loss", "<", when="moves"),
    ),
    question=Question("What is the loss after one step?", "loss_after"),
)

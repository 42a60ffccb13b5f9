"""The text of the steps: plain data that names its numbers. English; catalogs translate it."""

from __future__ import annotations

from softmaxce.lesson.step import ALWAYS, Check, Column, Formula, Part, StepTemplate, Table

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


NODES = {
    "Two classes (cat, dog) are binary classification; three (cat, dog, person) or more are "
    "multi-class classification. Here there are {n_classes} classes.": ALWAYS,
    "A regression model (the price of a house) has one node, so one number.": ALWAYS,
}
TARGET_AHEAD = {
    "The right answer is written [<<{targets}|, >>]: how far from it is [<<{logits}|, >>]?": ALWAYS
}
LOGITS = StepTemplate(
    name="logits",
    title="From input to logits",
    claim="Values flow forward, layer by layer. The last layer has one node per class, so it gives "
    "one number per class: its logit.",
    formula=Formula("z = xW + b", r"z = xW + b"),
    sentences=NODES | TARGET_AHEAD,
    more=Part(
        sentences={
            "x: the input values; W: a weight for each input and class; b: a bias for each class. "
            "A logit can be any number.": ALWAYS
        }
    ),
)

SHARES = StepTemplate(
    name="shares",
    title="First idea: shares of the total",
    claim="Divide each logit by the sum of all logits, so that the shares sum to 1.",
    formula=Formula("shareₖ = zₖ / Σⱼ zⱼ", r"\text{share}_k = \frac{z_k}{\sum_j z_j}"),
    sentences={
        "<<{logits} / {total} = {shares}|, >>: here the shares look like probabilities.": "fits",
        "<<{logits} / {total} = {shares}|, >>: a share below 0 or above 1 is not a "
        "probability.": "mixed",
        "<<{logits} / {total} = {shares}|, >>: all logits are negative, so the smallest gets the "
        "largest share.": "upside_down",
        "Your logits cancel: they sum to 0, and nothing can be divided by 0.": "cancels",
        "The logits of a linear model that this program trained always sum to 0. Its weights start "
        "at 0, and each step of training moves them by amounts that sum to 0 over the classes, as "
        "p − y does.": "always_cancels",
        "A negative logit breaks it: −1, 2 and −0.5 give the shares −2, 4 and −1.": "show_negative",
        "Logits that cancel break it: 1 + (−1) = 0, and nothing can be divided by "
        "0.": "show_cancelling",
    },
    checks=(
        Check(
            "The shares sum to 1",
            "sum_of_shares",
            1.0,
            "=",
            "sum_tolerance",
            "divides",
            "<<{shares}| + >>",
        ),
        Check("The logits cancel", "total", 0.0, when="cancels", written="<<{logits}| + >>"),
    ),
)

EXPONENTIALS = StepTemplate(
    name="exponentials",
    title="Make everything positive",
    claim="A power of a positive number is positive, whatever the exponent.",
    formula=Formula("a^z > 0", r"a^{z} > 0"),
    sentences={
        "A positive, a zero and a negative exponent: 2¹ = 2, 2⁰ = 1 and 2⁻¹ = 0.5.": ALWAYS,
        "The curve of eᶻ, from z = −2 to z = 2: ▁▁▁▁▂▂▃▅█": "is_text",
        "Any base above 1 works; we use e = 2.718…, which the logarithm will undo.": ALWAYS,
        "Each logit is first divided by the temperature, {temperature}.": "tempered",
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
    checks=(
        Check(
            "The logarithm undoes the power",
            "log_of_first_power",
            "first_logit",
            when="representable",
            written="log {first_power}",
        ),
    ),
    more=Part(
        sentences={
            "Another base only scales the exponents, because aᶻ = e^(z · log a): it acts as a "
            "temperature.": ALWAYS
        },
        checks=(Check("Base 2 gives the same shares as e^(z · log 2)", "base_2", "softmax_ln_2"),),
    ),
)

SHIFTED = class_table(
    Column("z − largest", "shifted", "power"), Column("e^(z − largest)", "powers"), PROBABILITY
)
SOFTMAX = StepTemplate(
    name="softmax",
    title="Softmax",
    claim="Divide each power of e by the sum of all: these are the probabilities.",
    formula=Formula("pₖ = e^zₖ / Σⱼ e^zⱼ", r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}"),
    sentences={
        "<<{powers_of_e} / {sum_of_powers} = {probabilities}|, >>.": "direct_works",
        "The powers are outside the range of numbers that the computer can store. So first "
        "subtract the largest logit, {largest}, from every logit. This divides numerator and "
        "denominator by the same number, and no power then exceeds e⁰ = 1: "
        "<<{powers} / {total} = {probabilities}|, >>.": "direct_fails",
    },
    checks=(
        Check(
            "The probabilities sum to 1",
            "sum_of_probabilities",
            1.0,
            written="<<{probabilities}| + >>",
        ),
    ),
    more=Part(
        sentences={
            "Adding one number to every logit changes nothing, because it multiplies numerator and "
            "denominator by the same number. So softmax is computed with the largest logit, "
            "{largest}, subtracted: no power then exceeds e⁰ = 1.": ALWAYS
        },
        tables=(SHIFTED,),
        checks=(
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
        ),
    ),
)

TARGET_STEP = StepTemplate(
    name="target",
    title="The target",
    claim="The right answer as a vector: 1 at the true class, 0 elsewhere (one-hot).",
    formula=Formula(
        "yₖ = 1 (k = label), 0 (k ≠ label)",
        r"y_k = 1\;(k = \text{label}), \quad 0\;(k \ne \text{label})",
    ),
    sentences={
        "Labels are integers from 0: label 1 of three becomes [0, 1, 0].": ALWAYS,
        "Here the label is {label}, class {true_class}: [<<{targets}|, >>].": "label_is_given",
        "No label was given. Assumed: label {label}, class {true_class}, "
        "[<<{targets}|, >>].": "label_is_assumed",
    },
    checks=(
        Check(
            "The target sums to 1, as probabilities do",
            "sum_of_targets",
            1.0,
            written="<<{targets}| + >>",
        ),
    ),
    more=Part(checks=(Check("The index of the 1 is the label", "place_of_1", "label"),)),
)

SQUARED_ERROR = StepTemplate(
    name="squared_error",
    title="How wrong? Squared error first",
    claim="Square the difference of each class and add: never above 2, however wrong.",
    formula=Formula("Σₖ (pₖ − yₖ)²", r"\sum_k (p_k - y_k)^2"),
    sentences={
        "<<({probabilities} − {targets})²| + >> = <<{squares}| + >> = {squared_error}.": ALWAYS,
        "A surer mistake should cost more. From p[true] = 0.01 to 0.001 (the rest on one class), "
        "squared error grows by only {squared_growth}, cross-entropy by {loss_growth}:": ALWAYS,
    },
    tables=(
        table(
            Column("p[true]", "p_true_falls"),
            Column("squared error", "squared_errors"),
            Column("cross-entropy", "cross_entropies"),
        ),
    ),
    checks=(Check("Your squared error is at most 2", "squared_error", 2.0, "≤"),),
    more=Part(checks=(Check("A tenth of p[true] costs log 10 more", "loss_growth", "ln_10"),)),
)


def _terms(kind: str, when: str) -> Table:
    """The terms of the cross-entropy, infinite ones shown as ∞ ("number") or "too large"."""
    surprises, terms = Column("−log p", "surprises", kind), Column("y · (−log p)", "terms", kind)
    return class_table(TARGET, PROBABILITY, surprises, terms, when=when)


CROSS_ENTROPY = StepTemplate(
    name="cross_entropy",
    title="Cross-entropy",
    claim="Add y · log p over the classes, and change the sign.",
    formula=Formula("loss = −Σₖ yₖ log pₖ", r"\text{loss} = -\sum_k y_k \log p_k"),
    sentences={
        "Σ: sum over classes k; y: target; p: probability; log: natural log, ln.": ALWAYS,
        "−(<<{targets} · log {probabilities}| + >>) = {loss} nats.": "written_out",
        "Wrong classes are multiplied by 0: only −log p[true] is left, here {loss}.": ALWAYS,
        "−log p is the information in an event of probability p: how surprised we are when it "
        "happens. Its mean, weighted by p, is the entropy, a measure of uncertainty.": ALWAYS,
        "p[true] is above 0, but so small that it is written as 0. Its logarithm is not lost, "
        "because it is computed directly from the logits.": "vanishes",
        "The loss is finite, but exceeds 1.8×10³⁰⁸, the largest number that the computer can "
        "store.": "exceeds_float",
        "A uniform prediction over {n_classes} classes costs log {n_classes} = {uniform_loss}. "
        "Yours costs less.": "better",
        "A uniform prediction over {n_classes} classes costs log {n_classes} = {uniform_loss}. "
        "Yours costs more.": "worse",
        "A uniform prediction over {n_classes} classes costs log {n_classes} = {uniform_loss}. "
        "Yours costs the same.": "same",
    },
    checks=(
        Check(
            "e undoes the logarithm, and p[true] is back",
            "exp_minus_loss",
            "p_true",
            written="e^(−{loss})",
        ),
    ),
    more=Part(
        sentences={
            "With log₂ the loss is {bits} bits: another base only changes the unit.": "finite",
            "Its perplexity e^loss is {perplexity}: as uncertain as a choice among that many "
            "equally likely classes.": "has_perplexity",
            "The entropy of this prediction is {entropy}.": ALWAYS,
            "Cross-entropy is the entropy, which is the uncertainty that is there anyway, plus the "
            "KL divergence, which is the price of a wrong prediction. A one-hot target has entropy "
            "0, so here the whole loss is KL divergence.": ALWAYS,
        },
        tables=(
            _terms("number", "may_be_infinite"),
            _terms("power", "never_infinite"),
        ),
        checks=(
            Check("The terms sum to −log p[true]", "cross_entropy", "loss"),
            Check("Entropy of the target + KL divergence = loss", "entropy_plus_kl", "loss"),
        ),
    ),
)

TWO_ENDS = StepTemplate(
    name="two_ends",
    title="The two ends",
    claim="A perfect prediction costs 0. A perfectly wrong one costs ∞.",
    formula=Formula("−log 1 = 0,  −log 0 = ∞", r"-\log 1 = 0, \quad {-\log 0} = \infty"),
    sentences={
        "Your prediction is perfect: it costs 0.": "is_perfect",
        "Your prediction is perfectly wrong: it gives the true class probability 0, so it costs "
        "∞.": "is_infinite",
        "Yours costs {loss}. The softmax of finite logits reaches neither end.": "is_between",
        "It is not a distance: the loss minus the target's entropy (KL) is {there} for target "
        "(0.9, 0.1) and prediction (0.5, 0.5), but {back} if swapped.": ALWAYS,
    },
    checks=(Check("Yours costs at least as much as a perfect one", "perfect", "loss", "≤"),),
    more=Part(
        tables=(
            table(
                Column("prediction", "ends", "word"),
                Column("p[true]", "p_at_ends"),
                Column("cross-entropy", "loss_at_ends"),
            ),
        ),
        checks=(
            Check("A perfect prediction costs 0", "perfect", 0.0),
            Check("A perfectly wrong prediction costs ∞", "wrong", "infinity"),
            Check("The two directions of KL divergence differ", "there", "back", "<"),
        ),
    ),
)

GRADIENT = StepTemplate(
    name="gradient",
    title="What learning does with it",
    claim="The gradient (how fast the loss changes with a logit) is p − y.",
    formula=Formula(
        "∂loss/∂zₖ = pₖ − yₖ", r"\frac{\partial\, \text{loss}}{\partial z_k} = p_k - y_k"
    ),
    sentences={
        "<<{probabilities} − {targets} = {gradient}|, >>.": "not_tempered",
        "Divided by the temperature: <<({probabilities} − {targets}) / {temperature} = "
        "{gradient}|, >>.": "tempered",
        "Gradient descent moves each logit against its gradient. One step with learning rate "
        "{learning_rate} lowers the loss from {loss} to {loss_after}.": "moves",
        "A step with learning rate {learning_rate} is too small to change the loss: it is lost in "
        "the computer's rounding.": "too_small_to_move",
        "The loss is infinite, and is still infinite after one step: the logit of the true class "
        "is −∞.": "infinite",
        "Back-propagation carries p − y back, layer by layer, to every weight.": ALWAYS,
    },
    checks=(
        Check(
            "Finite differences give the same gradient",
            "finite_differences",
            "gradient",
            tolerance=1e-8,
        ),
    ),
    more=Part(
        tables=(
            class_table(
                PROBABILITY,
                TARGET,
                Column("gradient", "gradient"),
                Column("new logit", "new_logits"),
            ),
        ),
        sentences={
            "After {n_steps} such steps, p[true] is {last_p_cross_entropy} under cross-entropy and "
            "{last_p_squared_error} under squared error.": "moves",
            "For the logits 8 and 0, with the second class true, the gradient on the first logit "
            "is {sure_cross_entropy} under cross-entropy and {sure_squared_error} under squared "
            "error: one learns from a sure mistake, the other hardly moves.": ALWAYS,
        },
        checks=(
            Check("The gradient sums to 0", "sum_of_gradient", 0.0, tolerance=1e-11),
            Check("The loss after the step is smaller", "loss_after", "loss", "<", when="moves"),
        ),
    ),
)

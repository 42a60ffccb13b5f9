"""The words of the steps: plain data that names its numbers. English here, the rest in catalogs."""

from __future__ import annotations

from softmaxce.lesson.step import Claim, Column, Formula, Question, Script, Sentence, Table

CLASS = Column("class", "classes", "text")
TARGET = Column("target y", "targets")
PROBABILITY = Column("probability p", "probabilities")

LOGITS = Script(
    name="logits",
    title="From input to logits",
    claim="The last layer has one node per class, so it gives one number per class: the logits.",
    sentences=(
        Sentence("Two classes: this is binary classification.", "binary"),
        Sentence("{n_classes} classes: this is multi-class classification.", "multi_class"),
        Sentence(
            "A model of one amount, such as the price of a house, would have one node and give "
            "one number: that is regression."
        ),
        Sentence("A logit may be any number, below 0 too. It is not a probability yet."),
    ),
    tables=(Table((CLASS, Column("logit z", "logits"))),),
    question=Question("How many logits does a model for these classes give?", "n_classes"),
)

SHARES = Script(
    name="shares",
    title="First idea: shares of the total",
    claim="Divide each logit by the sum of all. The shares sum to 1, but this soon breaks.",
    formula=Formula("shareₖ = zₖ / Σⱼ zⱼ", r"\text{share}_k = \frac{z_k}{\sum_j z_j}"),
    sentences=(
        Sentence("The logits sum to {total}. Here the shares look right.", "fits"),
        Sentence(
            "The logits sum to {total}. A share below 0 or above 1 is no probability.", "mixed"
        ),
        Sentence(
            "All logits are below 0, so the order turns upside down: the smallest logit gets "
            "the largest share.",
            "upside_down",
        ),
        Sentence("Your logits sum to 0, and nothing can be divided by 0.", "cancels"),
        Sentence("A negative logit breaks it: −1, 2, −0.5 give −2, 4, −1.", "show_negative"),
        Sentence(
            "Logits that cancel break it: 1 and −1 sum to 0, and nothing can be divided by 0.",
            "show_cancelling",
        ),
    ),
    tables=(
        Table((CLASS, Column("logit z", "logits"), Column("share", "shares")), when="divides"),
    ),
    claims=(
        Claim("The shares sum to 1", "sum_of_shares", 1.0, "=", "sum_tolerance", "divides"),
        Claim("The sum of the logits is 0", "total", 0.0, when="cancels"),
    ),
    question=Question("What do the logits sum to?", "total"),
)

EXPONENTIALS = Script(
    name="exponentials",
    title="Make everything positive",
    claim="A power of a positive number is positive, whatever the exponent. So use aᶻ.",
    formula=Formula("a^z > 0", r"a^{z} > 0"),
    sentences=(
        Sentence("With temperature {temperature}, each logit is divided by it first.", "tempered"),
        Sentence(
            "Any base above 1 works, for aᶻ = e^(z · ln a): another base only stretches the "
            "numbers, as a temperature does."
        ),
        Sentence("We take e = 2.718…, because the logarithm that comes later undoes it neatly."),
        Sentence(
            "Some powers here are too big for a computer's number (1.8×10³⁰⁸). Step “Softmax” "
            "has the remedy.",
            "too_big",
        ),
        Sentence(
            "Some powers here are so small that the computer writes 0. Step “Softmax” has the "
            "remedy.",
            "vanishes",
        ),
    ),
    tables=(
        Table(
            (
                CLASS,
                Column("z", "logits"),
                Column("2ᶻ", "powers_of_2", "power"),
                Column("2.7ᶻ", "powers_of_2_7", "power"),
                Column("eᶻ", "powers_of_e", "power"),
            )
        ),
    ),
    claims=(Claim("Base 2 gives the same shares as e^(z · ln 2)", "base_2", "softmax_ln_2"),),
    question=Question("What is e to the power of the first of these numbers?", "first_power"),
)

SOFTMAX = Script(
    name="softmax",
    title="Softmax",
    claim="Divide each power of e by the sum of all. These are the probabilities.",
    formula=Formula("pₖ = e^zₖ / Σⱼ e^zⱼ", r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}"),
    sentences=(
        Sentence(
            "First subtract the largest logit, {largest}. It changes nothing, for numerator and "
            "denominator shrink alike, and no power is then above e⁰ = 1."
        ),
        Sentence(
            "Without that, these logits would fail: their powers of e leave the range of a "
            "computer's numbers.",
            "direct_fails",
        ),
        Sentence("The highest is class {winner}, with {p_winner}."),
    ),
    tables=(
        Table(
            (
                CLASS,
                Column("z − largest", "shifted", "power"),
                Column("e to that", "powers"),
                PROBABILITY,
            )
        ),
    ),
    claims=(
        Claim("The probabilities sum to 1", "sum_of_probabilities", 1.0),
        Claim(
            "Adding 10 to every logit changes nothing",
            "shifted_by_10",
            "probabilities",
            tolerance=1e-9,
            when="shiftable",
        ),
        Claim(
            "Without subtracting first, the same comes out",
            "direct",
            "probabilities",
            when="direct_works",
        ),
        Claim("Only differences count: 1 / Σⱼ e^(zⱼ − zₖ) agrees", "pairwise", "probabilities"),
    ),
    question=Question("What is the highest probability?", "p_winner"),
)

TARGET_STEP = Script(
    name="target",
    title="The target",
    claim="The right answer becomes a vector too: 1 at the true class, 0 elsewhere (one-hot).",
    formula=Formula(
        "yₖ = 1 (k = label), 0 (k ≠ label)",
        r"y_k = 1\ (k = \text{label}), \quad 0\ (k \ne \text{label})",
    ),
    sentences=(
        Sentence("Labels are integers and count from 0. The label here is {label}."),
        Sentence(
            "No label was given, so class {true_class} is taken as the true one.",
            "label_is_assumed",
        ),
    ),
    tables=(Table((CLASS, Column("index", "indices"), TARGET)),),
    claims=(
        Claim("The target sums to 1, like a probability", "sum_of_targets", 1.0),
        Claim("The 1 stands at the label", "place_of_1", "label"),
    ),
    question=Question("At which index, from 0, does the 1 stand?", "label"),
)

SQUARED_ERROR = Script(
    name="squared_error",
    title="Why not squared error",
    claim="Being wrong must cost much more than being imprecise. Squared error never exceeds 2.",
    formula=Formula("Σₖ (pₖ − yₖ)²", r"\sum_k (p_k - y_k)^2"),
    sentences=(
        Sentence(
            "From 0.01 to 0.001, squared error grows by {squared_growth}, cross-entropy by "
            "{loss_growth}. It keeps growing without bound."
        ),
        Sentence("Yours, at {p_true}: squared error {squared_error}, cross-entropy {loss}."),
        Sentence("The true class's probability falls, and one wrong class takes the rest:"),
    ),
    tables=(
        Table(
            (
                Column("p of the true class", "p_true_falls"),
                Column("squared error", "squared_errors"),
                Column("cross-entropy", "cross_entropies"),
            ),
            per_class=False,
        ),
    ),
    claims=(
        Claim("Your squared error is at most 2", "squared_error", 2.0, "≤"),
        Claim("A tenth of the probability costs ln 10 more", "loss_growth", "ln_10"),
    ),
    question=Question("What is the squared error of this prediction?", "squared_error"),
)

CROSS_ENTROPY = Script(
    name="cross_entropy",
    title="Cross-entropy",
    claim="The loss is −Σ yₖ log pₖ. Wrong classes are multiplied by 0: −log p[true] is left.",
    formula=Formula("loss = −Σₖ yₖ log pₖ", r"\text{loss} = -\sum_k y_k \log p_k"),
    sentences=(
        Sentence("log is the natural logarithm, which undoes eˣ."),
        Sentence(
            "−log p is information: how much we learn, or how surprised we are, when an event "
            "of probability p happens."
        ),
        Sentence("The true class {true_class} has p = {p_true}, so the loss is {loss} nats."),
        Sentence(
            "That p is above 0, but so small that the computer writes 0. Its logarithm is not "
            "lost: it is found from the logits, before any power is taken.",
            "vanishes",
        ),
        Sentence(
            "The loss is finite, but above 1.8×10³⁰⁸, the largest number this computer holds.",
            "exceeds_float",
        ),
        Sentence("With log₂ it is {bits} bits: another base only rescales it.", "finite"),
        Sentence(
            "Its perplexity e^loss is {perplexity}: as unsure as a choice among that many.",
            "has_perplexity",
        ),
        Sentence("Blind guessing among {n_classes} costs ln {n_classes} = {blind}."),
        Sentence("This prediction costs less.", "better"),
        Sentence("This prediction costs more.", "worse"),
        Sentence("This prediction costs the same.", "same"),
        Sentence(
            "The mean surprise of the prediction itself is its entropy, {entropy}: its uncertainty."
        ),
    ),
    tables=(
        Table(
            (
                CLASS,
                TARGET,
                PROBABILITY,
                Column("−log p", "surprises"),
                Column("y · (−log p)", "terms"),
            ),
            when="may_be_infinite",
        ),
        Table(
            (
                CLASS,
                TARGET,
                PROBABILITY,
                Column("−log p", "surprises", "power"),
                Column("y · (−log p)", "terms", "power"),
            ),
            when="never_infinite",
        ),
    ),
    claims=(
        Claim("The terms sum to −log p[true]", "cross_entropy", "loss"),
        Claim("e to the power −loss is p[true] again", "exp_minus_loss", "p_true"),
    ),
    question=Question("What is the cross-entropy, in nats?", "loss"),
)

TWO_ENDS = Script(
    name="two_ends",
    title="The two ends",
    claim="A perfect prediction costs 0. A perfectly wrong one costs ∞.",
    formula=Formula("−log 1 = 0,  −log 0 = ∞", r"-\log 1 = 0, \quad -\log 0 = \infty"),
    sentences=(
        Sentence("Yours is perfect: it costs 0.", "is_perfect"),
        Sentence(
            "Yours is perfectly wrong: it gave the true class probability 0, and costs ∞.",
            "is_infinite",
        ),
        Sentence("Softmax of finite logits comes near both ends and reaches neither."),
    ),
    tables=(
        Table(
            (
                Column("prediction", "ends", "word"),
                Column("p of the true class", "p_at_ends"),
                Column("cross-entropy", "loss_at_ends"),
            ),
            per_class=False,
        ),
    ),
    claims=(
        Claim("A perfect prediction costs 0", "perfect", 0.0),
        Claim("A perfectly wrong prediction costs ∞", "wrong", "infinity"),
        Claim("Yours costs no less than a perfect one", "perfect", "loss", "≤"),
    ),
    question=Question("What does a perfect prediction cost?", "perfect"),
)

NO_DISTANCE = Script(
    name="no_distance",
    title="It is no distance",
    claim="A distance is the same both ways. Cross-entropy is not.",
    formula=Formula("H(p, q) = H(p) + KL(p ‖ q)", r"H(p, q) = H(p) + \text{KL}(p \,\|\, q)"),
    sentences=(
        Sentence(
            "(target, prediction) gives {target_prediction}; (prediction, target) gives "
            "{prediction_target}.",
            "differs",
        ),
        Sentence("Here both ways happen to agree.", "same_both_ways"),
        Sentence(
            "Cross-entropy is entropy, the uncertainty that is there anyway, plus the KL "
            "divergence, the price of a wrong belief. A one-hot target has entropy 0, so here "
            "the loss is all KL."
        ),
        Sentence("KL is no distance either: see its last two lines, with a blind guess."),
    ),
    tables=(Table((Column("quantity", "quantities", "word"), Column("nats", "values")), False),),
    claims=(
        Claim(
            "Loss = entropy of the target + KL",
            "target_prediction",
            "entropy_plus_kl",
            tolerance=1e-12,
        ),
        Claim(
            "The same sum holds for (prediction, blind guess)",
            "prediction_blind",
            "entropy_plus_kl_blind",
            tolerance=1e-12,
        ),
    ),
    question=Question("What is the cross-entropy of (prediction, target)?", "prediction_target"),
)

GRADIENT = Script(
    name="gradient",
    title="What learning does with it",
    claim="The gradient of the loss on the logits is p − y: prediction minus target.",
    formula=Formula(
        "∂loss/∂zₖ = pₖ − yₖ", r"\frac{\partial\, \text{loss}}{\partial z_k} = p_k - y_k"
    ),
    sentences=(
        Sentence(
            "Gradient descent moves each logit against its gradient: the true class up, every "
            "other down."
        ),
        Sentence("With temperature {temperature} the gradient is divided by it.", "tempered"),
        Sentence(
            "One step with learning rate {learning_rate}: the loss goes from {loss} to "
            "{loss_after}.",
            "moves",
        ),
        Sentence(
            "The step is too small to show beside these logits: the computer's rounding "
            "swallows it.",
            "too_small_to_move",
        ),
        Sentence(
            "The loss is infinite, and one step leaves it so: the logit of the true class is −∞.",
            "infinite",
        ),
        Sentence(
            "From the logits the gradient goes on backwards, layer by layer, to every weight: "
            "back-propagation."
        ),
    ),
    tables=(
        Table(
            (
                CLASS,
                PROBABILITY,
                TARGET,
                Column("gradient", "gradient"),
                Column("new logit", "new_logits"),
            )
        ),
    ),
    claims=(
        Claim(
            "Moving each logit a little and watching the loss gives the same gradient",
            "finite_differences",
            "gradient",
            tolerance=1e-8,
        ),
        Claim("The gradient sums to 0", "sum_of_gradient", 0.0, tolerance=1e-11),
        Claim("The loss after the step is smaller", "loss_after", "loss", "<", when="moves"),
    ),
    question=Question("What is the loss after one step?", "loss_after"),
)

"""The words of the corrections: ten beliefs, and the answer to each. Plain data, as in `script`."""

from __future__ import annotations

from softmaxce.lesson.step import Claim, Column, Script, Sentence, Table

CLASS = Column("class", "classes", "text")
STOCK = "For the logits {stock}:"

EXAGGERATES = Script(
    name="exaggerates",
    title="“Softmax exaggerates the winner.”",
    claim="Not by itself: the scale of the logits decides.",
    sentences=(
        Sentence(STOCK, "is_stock"),
        Sentence(
            "The highest share of the total is {top_share}, softmax's highest is {top_p}: flatter.",
            "flatter",
        ),
        Sentence(
            "The highest share of the total is {top_share}, softmax's highest is {top_p}.",
            "sharper",
        ),
        Sentence("Divide the same logits by a temperature, and the winner gets:"),
    ),
    tables=(
        Table(
            (
                Column("temperature", "temperatures"),
                Column("highest probability", "top_at_temperatures"),
            ),
            per_class=False,
        ),
    ),
    claims=(Claim("Hot is no sharper than cold", "hottest", "coldest", "≤"),),
)

LOOKS_PERFECT = Script(
    name="looks_like_probabilities",
    title="“The output is [0, 1, 0], so the loss is 0.”",
    claim="Only if these are probabilities. As logits they still go through softmax.",
    sentences=(
        Sentence(STOCK, "is_stock"),
        Sentence(
            "Careful: your logits lie between 0 and 1 and sum to 1, so they look like "
            "probabilities. If they are, do not send them through softmax again.",
            "is_own",
        ),
        Sentence(
            "If class {winner} is the true one, they cost {as_logits} as logits and "
            "{as_probabilities} as probabilities."
        ),
    ),
    claims=(Claim("As logits they cost more than 0", "zero", "as_logits", "<"),),
)

TWICE = Script(
    name="softmax_twice",
    title="“Applying softmax twice does no harm.”",
    claim="It does: the loss can then never come near 0.",
    sentences=(
        Sentence(
            "Probabilities lie between 0 and 1, so as logits they can differ by 1 at most. With "
            "{n_classes} classes the loss stays at {floor} or above."
        ),
        Sentence("Yours: once {once}, twice {twice}."),
    ),
    tables=(
        Table((Column("classes", "counts"), Column("lowest loss", "floors")), per_class=False),
    ),
    claims=(Claim("Twice costs at least the lowest loss", "floor", "twice", "≤"),),
)

ABOVE_ONE = Script(
    name="loss_above_1",
    title="“A loss above 1 is terrible.”",
    claim="That depends on the number of classes: blind guessing costs ln K.",
    sentences=(
        Sentence(
            "Yours is {loss}. Blind guessing among {n_classes} costs {blind}, so it is better "
            "than that.",
            "better",
        ),
        Sentence(
            "Yours is {loss}. Blind guessing among {n_classes} costs {blind}, so it is no better "
            "than that.",
            "not_better",
        ),
    ),
    tables=(
        Table(
            (Column("classes", "counts"), Column("blind guessing", "blind_losses")),
            per_class=False,
        ),
    ),
    claims=(Claim("Equal probabilities cost ln K", "uniform", "blind"),),
)

SAME_WINNER = Script(
    name="loss_and_accuracy",
    title="“Lower loss means higher accuracy.”",
    claim="Accuracy sees only who wins. The loss also sees by how much.",
    sentences=(
        Sentence(STOCK, "is_stock"),
        Sentence(
            "If class {winner} is the true one, the loss is {loss_now}. Double every logit: the "
            "same winner, so the same accuracy, but the loss is {loss_doubled}."
        ),
    ),
    claims=(
        Claim("The winner stays the same", "winner_when_doubled", "winner_index"),
        Claim("The losses differ", "loss_doubled", "loss_now", "<"),
    ),
)

WRONG_CLASSES = Script(
    name="wrong_classes",
    title="“The wrong classes do not matter.”",
    claim="The loss reads p[true] only, but the gradient moves every logit.",
    sentences=(
        Sentence(STOCK, "is_stock"),
        Sentence(
            "Share the wrong classes' probability evenly among them: the loss stays {loss}, but "
            "each wrong logit is pushed down by its own p."
        ),
    ),
    tables=(
        Table(
            (
                CLASS,
                Column("p", "probabilities"),
                Column("gradient", "gradient"),
                Column("p, even", "even"),
                Column("gradient", "even_gradient"),
            )
        ),
    ),
    claims=(
        Claim("The even ones sum to 1 too", "sum_of_even", 1.0),
        Claim("p[true], and so the loss, is the same", "even_p_true", "p_true"),
    ),
)

DERIVATIVE = Script(
    name="derivative",
    title="“p − y is the derivative of softmax.”",
    claim="It is the derivative of the loss through softmax. Softmax's own is a whole matrix.",
    sentences=(
        Sentence(STOCK, "is_stock"),
        Sentence(
            "Row {true_class} of that matrix says how p[true] changes with each logit. The "
            "logarithm multiplies it by −1 / p[true] = {factor}, and the product is p − y."
        ),
    ),
    tables=(
        Table(
            (
                CLASS,
                Column("∂p[true]/∂z", "jacobian_row"),
                Column("times −1/p[true]", "chain"),
                Column("p − y", "p_minus_y"),
            )
        ),
    ),
    claims=(
        Claim("The product is p − y", "chain", "p_minus_y"),
        Claim("The row of the matrix sums to 0", "sum_of_row", 0.0),
    ),
)

CALIBRATED = Script(
    name="calibration",
    title="“Probability 0.9 means right 90 % of the time.”",
    claim="Only for a calibrated model, and that is measured on many pictures, not on one.",
    sentences=(
        Sentence(STOCK, "is_stock"),
        Sentence(
            "Class {winner} has {p_now}. Halve every logit, and it still wins, with {p_softer}. A "
            "model changed so is right just as often, so both cannot be its share of right "
            "answers."
        ),
    ),
    claims=(
        Claim("The winner stays the same", "softer_winner", "winner_index"),
        Claim("Its probability falls", "p_softer", "p_now", "<"),
    ),
)

NO_CAT = Script(
    name="unknown_picture",
    title="“A cat classifier knows when there is no cat.”",
    claim="It does not: the probabilities of the classes it knows sum to 1, whatever the picture.",
    sentences=(
        Sentence(STOCK, "is_stock"),
        Sentence(
            "Take 100 from every logit, so that nothing speaks for any class. The probabilities "
            "stay the same."
        ),
    ),
    claims=(
        Claim("The probabilities sum to 1", "sum_of_probabilities", 1.0),
        Claim("100 less everywhere changes nothing", "lower", "probabilities", tolerance=1e-9),
    ),
)

SIGMOID = Script(
    name="sigmoid",
    title="“Softmax and sigmoid are rivals.”",
    claim="For two classes softmax is the sigmoid of the difference of the logits.",
    sentences=(
        Sentence(STOCK, "is_stock"),
        Sentence(
            "Logit {second} minus logit {first} is {difference}, and 1 / (1 + e^−difference) = "
            "{sigmoid}."
        ),
    ),
    claims=(Claim("Sigmoid and softmax agree", "sigmoid", "p_second"),),
)

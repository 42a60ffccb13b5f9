"""The text of ten misconceptions and of the answer to each. Plain data, as in `templates`."""

from __future__ import annotations

from softmaxce.lesson.step import Check, Column, Sentence, StepTemplate
from softmaxce.lesson.templates import class_table, table

STOCK = Sentence("For the logits {stock}:", "is_stock")

EXAGGERATES = StepTemplate(
    name="exaggerates",
    title="“Softmax exaggerates the winner.”",
    claim="Not by itself: the scale of the logits decides.",
    sentences=(
        STOCK,
        Sentence(
            "The highest share of the total is {top_share}; softmax's highest probability is "
            "{top_p}, which is flatter.",
            "flatter",
        ),
        Sentence(
            "The highest share of the total is {top_share}; softmax's highest probability is "
            "{top_p}.",
            "sharper",
        ),
        Sentence("Divide the same logits by a temperature, and the highest probability becomes:"),
    ),
    tables=(
        table(
            Column("temperature", "temperatures"),
            Column("highest probability", "top_at_temperatures"),
        ),
    ),
    checks=(Check("A high temperature is not sharper than a low one", "hottest", "coldest", "≤"),),
)

LOOKS_LIKE_PROBABILITIES = StepTemplate(
    name="looks_like_probabilities",
    title="“The output is [0, 1, 0], so the loss is 0.”",
    claim="Only if these are probabilities. Logits still have to go through softmax.",
    sentences=(
        STOCK,
        Sentence(
            "Careful: your logits are between 0 and 1 and sum to 1, so they look like "
            "probabilities. If they are, do not apply softmax to them again.",
            "is_own",
        ),
        Sentence(
            "If class {winner} is the true one, they cost {as_logits} as logits and "
            "{as_probabilities} as probabilities."
        ),
    ),
    checks=(Check("As logits they cost more than 0", "zero", "as_logits", "<"),),
)

SOFTMAX_TWICE = StepTemplate(
    name="softmax_twice",
    title="“Applying softmax twice does no harm.”",
    claim="It does: the loss can then never come close to 0.",
    sentences=(
        Sentence(
            "Probabilities are between 0 and 1, so as logits they differ by at most 1. With "
            "{n_classes} classes the loss is then at least {floor}."
        ),
        Sentence("Your loss: {once} with one softmax, {twice} with two."),
    ),
    tables=(table(Column("classes", "counts"), Column("lowest loss", "floors")),),
    checks=(Check("With two, the loss is at least the lowest loss", "floor", "twice", "≤"),),
)

LOSS_ABOVE_1 = StepTemplate(
    name="loss_above_1",
    title="“A loss above 1 is terrible.”",
    claim="That depends on the number of classes: a uniform prediction costs ln K.",
    sentences=(
        Sentence(
            "Your loss is {loss}. A uniform prediction over {n_classes} classes costs {blind}, so "
            "yours is better.",
            "better",
        ),
        Sentence(
            "Your loss is {loss}. A uniform prediction over {n_classes} classes costs {blind}, so "
            "yours is not better.",
            "not_better",
        ),
    ),
    tables=(table(Column("classes", "counts"), Column("uniform prediction", "blind_losses")),),
    checks=(Check("Equal probabilities cost ln K", "uniform", "blind"),),
)

LOSS_AND_ACCURACY = StepTemplate(
    name="loss_and_accuracy",
    title="“A lower loss means a higher accuracy.”",
    claim="Accuracy depends only on which class comes first. The loss also depends on how clearly.",
    sentences=(
        STOCK,
        Sentence(
            "If class {winner} is the true one, the loss is {loss_now}. Double every logit: the "
            "predicted class, and so the accuracy, stays the same, but the loss is {loss_doubled}."
        ),
    ),
    checks=(
        Check("The predicted class stays the same", "winner_when_doubled", "winner_index"),
        Check("The losses differ", "loss_doubled", "loss_now", "<"),
    ),
)

WRONG_CLASSES = StepTemplate(
    name="wrong_classes",
    title="“The wrong classes do not matter.”",
    claim="The loss uses only p[true], but the gradient moves every logit.",
    sentences=(
        STOCK,
        Sentence(
            "Spread the probability of the wrong classes evenly among them: the loss stays "
            "{loss}, but each wrong logit is pushed down by its own p."
        ),
    ),
    tables=(
        class_table(
            Column("p", "probabilities"),
            Column("gradient", "gradient"),
            Column("p, even", "even"),
            Column("gradient", "even_gradient"),
        ),
    ),
    checks=(
        Check("The even probabilities also sum to 1", "sum_of_even", 1.0),
        Check("p[true], and so the loss, is the same", "even_p_true", "p_true"),
    ),
)

DERIVATIVE = StepTemplate(
    name="derivative",
    title="“p − y is the derivative of softmax.”",
    claim="It is the derivative of the loss through softmax. The derivative of softmax itself is a "
    "matrix.",
    sentences=(
        STOCK,
        Sentence(
            "Row {true_class} of this matrix says how p[true] changes with each logit. The "
            "logarithm multiplies it by −1 / p[true] = {factor}, and the product is p − y."
        ),
    ),
    tables=(
        class_table(
            Column("∂p[true]/∂z", "jacobian_row"),
            Column("times −1/p[true]", "chain"),
            Column("p − y", "p_minus_y"),
        ),
    ),
    checks=(
        Check("The product is p − y", "chain", "p_minus_y"),
        Check("The row of the matrix sums to 0", "sum_of_row", 0.0),
    ),
)

CALIBRATION = StepTemplate(
    name="calibration",
    title="“A probability of 0.9 means right 90 times in 100.”",
    claim="Only for a calibrated model, and calibration is measured on many images, not on one.",
    sentences=(
        STOCK,
        Sentence(
            "Class {winner} has p = {p_now}. Halve every logit, and it still has the highest "
            "probability, but now {p_softer}. The model with halved logits is right just as often, "
            "so the two probabilities cannot both be that frequency."
        ),
    ),
    checks=(
        Check("The predicted class stays the same", "softer_winner", "winner_index"),
        Check("Its probability falls", "p_softer", "p_now", "<"),
    ),
)

UNKNOWN_PICTURE = StepTemplate(
    name="unknown_picture",
    title="“A cat classifier knows when there is no cat.”",
    claim="It does not: the probabilities of the classes it knows sum to 1, whatever the image.",
    sentences=(
        STOCK,
        Sentence(
            "Subtract 100 from every logit, so that nothing speaks for any class. The "
            "probabilities stay the same."
        ),
    ),
    checks=(
        Check("The probabilities sum to 1", "sum_of_probabilities", 1.0),
        Check(
            "Subtracting 100 from every logit changes nothing",
            "lower",
            "probabilities",
            tolerance=1e-9,
        ),
    ),
)

SIGMOID = StepTemplate(
    name="sigmoid",
    title="“Softmax and sigmoid are different methods.”",
    claim="For two classes, softmax is the sigmoid of the difference between the logits.",
    sentences=(
        STOCK,
        Sentence(
            "The logit of class {second} minus that of class {first} is {difference}, and "
            "1 / (1 + e^−difference) = {sigmoid}."
        ),
    ),
    checks=(Check("Sigmoid and softmax agree", "sigmoid", "p_second"),),
)

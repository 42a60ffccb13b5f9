"""The strip: the whole way from the logits to the loss, one row per class."""

from __future__ import annotations

from softmaxce.language import Translate
from softmaxce.lesson.example import Example
from softmaxce.lesson.numbers import softmax_step
from softmaxce.lesson.step import Column
from softmaxce.lesson.templates import LOGIT, TARGET, class_table
from softmaxce.views.lesson.formatting import Quote, TableText, number, table_text
from softmaxce.views.safe_text import visible

STAGES = {
    "logits": "input → network → logits z → powers eᶻ → probabilities p → loss −log p[true]",
    "image": "image → network → logits z → powers eᶻ → probabilities p → loss −log p[true]",
    "features": "features → network → logits z → powers eᶻ → probabilities p → loss −log p[true]",
    "probabilities": "probabilities p → loss −log p[true]",
}
ARROW = Column("→", "arrows", "text")
ARROW_OF_TRUE_CLASS = Column("→", "true_arrow", "text")
AFTER = (
    ARROW_OF_TRUE_CLASS,
    TARGET,
    ARROW_OF_TRUE_CLASS,
    Column("−log p", "losses", "text"),
)


def strip_table(example: Example, translate: Translate, quote: Quote = visible) -> TableText:
    """The numbers of each class; those of the true class continue to the loss."""
    numbers = softmax_step(example)
    is_direct = numbers["direct_works"]
    total = number(numbers["sum_of_powers" if is_direct else "total"])
    powers = Column("eᶻ", "powers_of_e") if is_direct else Column("e^(z − largest)", "powers")
    before: tuple[Column, ...] = (
        LOGIT,
        ARROW,
        powers,
        ARROW,
        Column(f"÷ {total} = p", "probabilities"),
    )
    if example.source == "probabilities":
        before = (Column("p", "probabilities"),)
    marks = [k == example.label for k in range(example.n_classes)]
    numbers |= example.named("logits", "targets") | {
        "arrows": ["→"] * example.n_classes,
        "true_arrow": ["→" if mark else "" for mark in marks],
        "losses": [number(example.loss) if mark else "" for mark in marks],
    }
    return table_text(class_table(*before, *AFTER), numbers, example.shown, translate, quote)

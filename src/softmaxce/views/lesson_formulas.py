"""The lesson's formulas in MathML and in LaTeX, with their words in the reader's language."""

from __future__ import annotations

import re

from softmaxce.lesson.step import Formula
from softmaxce.views.lesson_words import Translate

_MTEXT = re.compile(r"<mtext>(.*?)</mtext>")
_TEXT = re.compile(r"\\text\{(.*?)\}")


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _i(name: str) -> str:
    return f"<mi>{name}</mi>"


def _n(number: str) -> str:
    return f"<mn>{number}</mn>"


def _o(operator: str) -> str:
    return f"<mo stretchy='false'>{operator}</mo>"


def _words(words: str) -> str:
    return f"<mtext>{words}</mtext>"


def _sub(base: str, below: str) -> str:
    return f"<msub>{base}{below}</msub>"


def _sup(base: str, above: str) -> str:
    return f"<msup>{base}{above}</msup>"


def _fraction(above: str, below: str) -> str:
    return f"<mfrac>{above}{below}</mfrac>"


def _sum(index: str) -> str:
    return f"<munder>{_o('∑')}{_i(index)}</munder>"


_LOG = "<mi>log</mi><mo>&#8289;</mo><mspace width='0.17em'></mspace>"
_SPACE = "<mspace width='1.5em'></mspace>"
_GAP = "<mspace width='0.3em'></mspace>"
_KL = _words("KL")
_MINUS = "<mo form='prefix'>−</mo>"
_P, _Y, _Z = (_sub(_i(name), _i("k")) for name in "pyz")
_DEL = _o("∂")

_ROWS = {
    "image": (
        _words("index"), _o("="), _o("("), _words("row"), _o("·"), _words("width"), _o("+"),
        _words("column"), _o(")"), _o("·"), _words("channels"), _o("+"), _words("channel"),
    ),
    "logits": (_i("z"), _o("="), _i("x"), _i("W"), _o("+"), _i("b")),
    "shares": (
        _sub(_words("share"), _i("k")), _o("="),
        _fraction(_Z, _row(_sum("j"), _sub(_i("z"), _i("j")))),
    ),
    "exponentials": (_sup(_i("a"), _i("z")), _o("&gt;"), _n("0")),
    "softmax": (
        _P, _o("="),
        _fraction(_sup(_i("e"), _Z), _row(_sum("j"), _sup(_i("e"), _sub(_i("z"), _i("j"))))),
    ),
    "target": (
        _Y, _o("="), _n("1"), _GAP, _o("("), _i("k"), _o("="), _words("label"), _o(")"), _o(","),
        _SPACE, _n("0"), _GAP, _o("("), _i("k"), _o("≠"), _words("label"), _o(")"),
    ),
    "squared_error": (_sum("k"), _sup(_row(_o("("), _P, _o("−"), _Y, _o(")")), _n("2"))),
    "cross_entropy": (_words("loss"), _o("="), _MINUS, _sum("k"), _Y, _LOG, _P),
    "two_ends": (
        _MINUS, _LOG, _n("1"), _o("="), _n("0"), _SPACE,
        _MINUS, _LOG, _n("0"), _o("="), _i("∞"),
    ),
    "no_distance": (
        _i("H"), _o("("), _i("p"), _o(","), _i("q"), _o(")"), _o("="),
        _i("H"), _o("("), _i("p"), _o(")"), _o("+"),
        _KL, _o("("), _i("p"), _o("‖"), _i("q"), _o(")"),
    ),
    "gradient": (
        _fraction(_row(_DEL, _words("loss")), _row(_DEL, _Z)), _o("="), _P, _o("−"), _Y,
    ),
}  # fmt: skip


def mathml(step: str, translate: Translate) -> str:
    """The formula of a step as a MathML element that stands on a line of its own."""
    formula = f'<math display="block">{_row(*_ROWS[step])}</math>'
    return _MTEXT.sub(lambda match: f"<mtext>{translate(match.group(1))}</mtext>", formula)


def latex(formula: Formula, translate: Translate) -> str:
    """A formula in LaTeX, its words in the language."""
    return _TEXT.sub(lambda match: f"\\text{{{translate(match.group(1))}}}", formula.latex)

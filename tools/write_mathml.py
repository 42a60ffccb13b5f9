"""Write the lesson's formulas as MathML, from their LaTeX, for the page.

Run it after a change to a formula (it needs the `dev` extra). The result is committed, so that
neither building nor running the package needs a converter; a test keeps the two together.
"""

from __future__ import annotations

import json

from latex2mathml.converter import convert

from softmaxce import lesson
from softmaxce.lesson.picture_templates import IMAGE, LOGITS_OF_IMAGE, PATCHES
from softmaxce.views.lesson.page import MATHML

# What the converter leaves to the browser, as TeX sets it: thin spaces around \log, and no space
# after a minus sign behind an equals sign.
SPACING = {
    "<mi>log</mi>": '<mspace width="0.17em" /><mi>log</mi><mspace width="0.17em" />',
    "<mo>&#x0003D;</mo><mo>&#x02212;</mo>": '<mo>&#x0003D;</mo><mo form="prefix">&#x02212;</mo>',
}


def mathml_of_formulas() -> dict[str, str]:
    """LaTeX → MathML, for each formula of the lesson."""
    templates = [IMAGE, PATCHES, LOGITS_OF_IMAGE, *(template for template, _ in lesson.STEPS)]
    formulas = [template.formula.latex for template in templates if template.formula]
    return {latex: _spaced(convert(latex, display="block")) for latex in formulas}


def _spaced(mathml: str) -> str:
    for element, spaced in SPACING.items():
        mathml = mathml.replace(element, spaced)
    return mathml


def main() -> None:
    """Write the file."""
    text = json.dumps(mathml_of_formulas(), indent=1, ensure_ascii=False)
    MATHML.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()

"""Numbers as people type them."""

from __future__ import annotations

import math

import pytest

from softmaxce.typed_numbers import number, split_numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.2", 0.2),
        ("−2", -2.0),
        ("–.5", -0.5),
        ("０.２", 0.2),
        ("1/3", 1 / 3),
        ("-1 / 4", -0.25),
        ("ln5", math.log(5)),
        ("ln 2", math.log(2)),
        ("LN(1/3)", -math.log(3)),
        ("−ln 5", -math.log(5)),
        ("40%", 0.4),
        ("12.5 %", 0.125),
        ("３０％", 0.3),
    ],
)
def test_a_number(text, value):
    assert number(text, percent=True) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    ["", "two", "1_0", "--5", "5%%", "%", "1/0", "1/2/3", "ln", "ln()", "ln5/2", "ln(-1)", "1 2"],
)
def test_not_a_number(text):
    with pytest.raises(ValueError, match="is not a number"):
        number(text, percent=True)


def test_a_percentage_is_a_probability():
    with pytest.raises(ValueError, match=r"'40%' is a percentage.* write 0\.4"):
        number("40%")


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("[0.2, 0.3]", ["0.2", "0.3"]),
        ("(0.2,0.3)", ["0.2", "0.3"]),
        ("{0.2 0.3}", ["0.2", "0.3"]),
        ("[[0.2], [0.3]]", ["0.2", "0.3"]),
        ("0.2; 0.3", ["0.2", "0.3"]),
        ("0.2\t0.3\n", ["0.2", "0.3"]),
        ("0.2，0.3", ["0.2", "0.3"]),
        ("0,2;0,3", ["0,2", "0,3"]),
        ("ln 5 ln(2) -ln 3", ["ln 5", "ln(2)", "-ln 3"]),
        ("1 / 3, 2/3", ["1 / 3", "2/3"]),
        ("40 % 60 %", ["40 %", "60 %"]),
    ],
)
def test_a_list(text, items):
    assert split_numbers(text) == items

"""The lesson page in a real browser: its arithmetic, its controls, its accessibility."""

from __future__ import annotations

import itertools
import math
import re
import shutil
import subprocess

import pytest
from lesson_page_driver import explained

from softmaxce.lesson.questions import QUESTIONS
from softmaxce.views.lesson.formatting import number

pytestmark = pytest.mark.slow

TOLERANCE = 1e-12

EXAMPLES = [
    ["--logits", "0.2", "0.3"],
    ["--logits", "2", "1", "-1", "--label", "2", "--classes", "cat", "dog", "person"],
    ["--logits", "-1", "2", "-0.5", "--temperature", "0.5", "--learning-rate", "2"],
    ["--logits", "1", "-1"],
    ["--logits", "0", "0", "0"],
    ["--logits", "0", "1", "0", "--label", "1"],
    ["--logits", "-3", "-1", "--label", "1"],
    ["--logits", "1000", "999"],
    ["--logits", "-1e308", "1e308"],
    ["--logits", "1e308", "1e308", "-1e308", "--temperature", "0.001"],
    ["--logits", "-750", "3", "--label", "0"],
    ["--logits", "1e-9", "-2e-9", "3e-10", "--temperature", "1000"],
    ["--logits", "0.1", "0.2", "-0.3"],
    ["--logits", *[str((k * 7919) % 23 - 11) for k in range(10)], "--label", "3"],
    ["--logits", *[str(math.sin(k) * 5) for k in range(1000)], "--label", "500"],
    ["--probabilities", "1", "0", "0", "--label", "2"],
    ["--probabilities", "0.7", "0.2", "0.1", "--label", "1"],
]


def assert_same(page, command, place=""):
    """The page's value is the command's, numbers to 1e-12."""
    if isinstance(command, list):
        assert len(page) == len(command), place
        for k, value in enumerate(command):
            assert_same(page[k], value, f"{place}[{k}]")
    elif isinstance(command, float) or (isinstance(command, int) and not isinstance(command, bool)):
        assert page == pytest.approx(command, rel=TOLERANCE, abs=TOLERANCE), place
    else:
        assert page == command, place


def assert_same_lesson(page, command):
    assert_same(page["example"]["logits"], command["logits"], "logits")
    assert_same(page["example"]["probabilities"], command["probabilities"], "probabilities")
    assert_same(page["example"]["loss"], command["cross_entropy"], "cross_entropy")
    assert [s["name"] for s in page["steps"]] == [s["name"] for s in command["steps"]]
    for ours, theirs in zip(page["steps"], command["steps"], strict=True):
        for name, value in theirs["numbers"].items():
            if name in ours["numbers"]:
                assert_same(ours["numbers"][name], value, f"{theirs['name']}.{name}")
        for part, other in ((ours, theirs), (ours["more"], theirs["more"])):
            n_drawn = sum("▁" in line for line in other["explanation"])  # the curve of eᶻ
            assert len(part["sentences"]) == len(other["explanation"]) - n_drawn
            assert len(part["checks"]) == len(other["proofs"])
            assert not any(part["failed"])


@pytest.mark.parametrize("words", EXAMPLES, ids=lambda words: " ".join(words)[:50])
def test_the_page_and_the_command_agree(open_page, words):
    page = open_page(*words)
    assert_same_lesson(page.lesson(), explained(*words, "--more"))
    assert page.errors() == []


def test_the_page_says_what_the_command_says(open_page):
    for language in ("en", "ko"):
        words = ["--logits", "2", "1", "-1", "--label", "2", "--lang", language]
        page = open_page(*words)
        command = explained(*words)
        places = [(step, f"#{step['name']}") for step in command["steps"]]
        places += [(step, "#misconceptions") for step in command["corrections"]]
        for step, place in places:
            shown = page.text(place)
            for line in (step["title"], step["claim"], *step["explanation"]):
                assert line in shown or "▁" in line  # the page draws the curve of eᶻ
            for proof in step["proofs"]:
                assert proof["claim"] in shown
        assert page.run("return document.documentElement.lang") == language


def test_misconceptions_are_those_of_the_first_numbers_and_say_so(open_page):
    page = open_page("--logits", "0.2", "0.3")
    section = "section[aria-labelledby=misconceptions-title]"
    before = page.text(section)
    assert "computed for the first numbers" in before
    assert len(page.browser.find_elements("css selector", ".misconception")) == 10
    page.type_into("value-0", "3")
    assert page.text(section) == before
    assert len(page.browser.find_elements("css selector", "#misconceptions > *")) == 1
    with_all = open_page("--logits", "0.2", "0.3", "--more")
    assert len(with_all.browser.find_elements("css selector", "#misconceptions > *")) == 10
    assert not with_all.find("#more").is_displayed()


def test_no_network_request_is_made(open_page):
    page = open_page("--logits", "0.2", "0.3")
    asked = [address for address in page.requests() if not address.startswith("data:")]
    assert asked == [page.address]
    failed = page.run("return fetch('https://example.org/').then(() => 'reached', () => 'refused')")
    assert failed == "refused"
    assert any("Content Security Policy" in message for message in page.errors())


def test_typing_moves_everything(open_page):
    page = open_page("--logits", "0.2", "0.3")
    page.type_into("value-0", "3")
    page.type_into("value-1", "-1.5")
    page.open_all()
    page.type_into("temperature", "2")
    page.type_into("learning_rate", "0.5")
    page.find("#true-1").click()
    words = [
        "--logits",
        "3",
        "-1.5",
        "--temperature",
        "2",
        "--learning-rate",
        "0.5",
        "--label",
        "1",
    ]
    command = explained(*words, "--more")
    assert_same_lesson(page.lesson(), command)
    for text in ("2.3502", "0.0953", "0.9047"):  # ln(1 + e^2.25), and the two probabilities
        assert text in page.text("#cross_entropy")
    assert "2.350" in page.text("#stages .loss .foot")
    assert page.errors() == []


def test_dragging_moves_everything(open_page):
    from selenium.webdriver import ActionChains

    page = open_page("--logits", "0.2", "0.3")
    before = page.text("#stages")
    slider = page.find("#value-0-slider")
    ActionChains(page.browser).click_and_hold(slider).move_by_offset(30, 0).release().perform()
    logits = page.lesson()["example"]["logits"]
    assert logits[0] > 0.5
    assert float(page.find("#value-0").get_attribute("value")) == pytest.approx(logits[0])
    assert page.text("#stages") != before
    command = explained("--logits", *map(repr, logits), "--more")
    assert_same_lesson(page.lesson(), command)


def test_arrow_keys_move_a_slider_and_the_change_is_announced(open_page):
    page = open_page("--logits", "0.2", "0.3")
    page.find("#value-0-slider").send_keys("\ue014" * 4)  # four times right
    assert page.lesson()["example"]["logits"][0] == pytest.approx(0.4)
    assert page.find("#value-0-slider").get_attribute("aria-valuetext") == "0.4"
    from selenium.webdriver.support.ui import WebDriverWait

    loss = math.log(1 + math.exp(-0.1))
    WebDriverWait(page.browser, 5).until(lambda _: f"{loss:.4f}" in page.text("#announcement"))
    assert page.find("#announcement").get_attribute("aria-live") == "polite"


INVALID = "return [...document.querySelectorAll('input:invalid')].map((field) => field.id)"


def test_an_invalid_number_is_marked_and_changes_nothing(open_page):
    page = open_page("--logits", "0.2", "0.3")
    before = page.lesson()["example"]["logits"]
    page.open_all()
    page.type_into("temperature", "0")
    assert page.run(INVALID) == ["temperature"]
    page.type_into("value-0", "\ue017")  # deleted
    assert page.run(INVALID) == ["value-0"]
    assert page.lesson()["example"]["logits"] == before
    page.find("#reset").click()
    assert page.run(INVALID) == []
    assert page.errors() == []


def test_a_link_holds_the_numbers(open_page):
    page = open_page("--logits", "0.2", "0.3")
    page.find("#add").click()
    page.find("#true-2").click()
    page.type_into("value-2", "-1.25")
    page.open_all()
    page.type_into("temperature", "2")
    before, link = page.lesson(), page.find("#link").get_attribute("href")
    page.browser.get("about:blank")
    page.browser.get(link)
    page.wait_for_frame()
    assert page.lesson() == before
    assert page.errors() == []
    page.browser.get(page.address + "#value-0=7&value-1=x&temperature=0&true-class=9&ask=1&reset=")
    assert page.lesson()["example"]["logits"][0] == 7
    assert page.lesson()["example"]["logits"][1:] == before["example"]["logits"][1:]
    assert page.lesson()["example"]["temperature"] == 2


def test_a_link_holds_probabilities(open_page):
    page = open_page("--probabilities", "1", "0", "0")
    page.browser.get(page.address + "#true-class=2&value-0=0&value-1=0.75&value-2=0.25")
    page.wait_for_frame()
    assert page.lesson()["example"]["probabilities"] == pytest.approx([0, 0.75, 0.25])


def test_back_to_the_first_numbers(open_page):
    page = open_page("--logits", "0.2", "0.3")
    page.type_into("value-0", "5")
    page.find("#true-1").click()
    page.find("#reset").click()
    assert page.lesson()["example"]["logits"] == [0.2, 0.3]
    assert page.lesson()["example"]["label"] == 0
    assert page.find("#value-0").get_attribute("value") == "0.2"
    assert page.find("#true-0").is_selected()


def test_probabilities_are_divided_by_their_sum(open_page):
    page = open_page("--probabilities", "0.5", "0.25", "0.25")
    page.type_into("value-0", "1")
    assert page.lesson()["example"]["probabilities"] == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_every_control_can_be_reached_by_the_tab_key(open_page):
    page = open_page("--logits", "0.2", "0.3", "--label", "0")
    page.open_all()
    page.run("document.activeElement.blur(); window.focus();")
    reached = []
    for _ in range(60):
        page.browser.switch_to.active_element.send_keys("\ue004")
        name = page.run("const e = document.activeElement; return e.id || e.className || e.tagName")
        reached.append(name)
    assert reached[0] == "hidden skip"
    order = ["true-0", "value-0-slider", "value-0", "value-1-slider", "value-1"]
    order += [
        "add",
        "reset",
        "temperature-slider",
        "temperature",
        "learning_rate-slider",
        "learning_rate",
    ]
    assert [name for name in reached if name in order][: len(order)] == order


def test_every_picture_has_a_name(open_page):
    page = open_page("--logits", "2", "1", "-1")
    for step in ("squared_error", "gradient"):
        assert page.find(f"#{step} svg").get_attribute("aria-label")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("revealed", [True, False])
def test_axe_finds_nothing_serious(open_page, scheme, width, language, revealed):
    page = open_page("--logits", "2", "1", "-1", "--lang", language)
    page.prefer(scheme)
    page.resize(width, 900)
    if revealed:
        page.open_all()
    found = page.axe_findings()
    page.prefer("light")
    assert found == []


LONG_NAMES = ["longsleeve", "black_and_tan_coonhound", "긴소매 티셔츠", "x" * 80]


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("names", [[*"0123456789"], LONG_NAMES], ids=["digits", "long"])
def test_the_page_fits_its_window(open_page, width, names):
    page = open_page("--logits", *[str(k) for k in range(len(names))], "--classes", *names)
    page.resize(width, 800)
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_a_thousand_classes_are_shortened_with_a_count(open_page):
    page = open_page("--logits", *[str(k % 13) for k in range(1000)], "--label", "500")
    assert len(page.lesson()["example"]["logits"]) == 1000
    rows = page.browser.find_elements("css selector", "#exponentials tbody tr:not(:has(.more))")
    assert len(rows) <= 12
    left = [int(n) for n in re.findall(r"… (\d+) more", page.text("#exponentials tbody"))]
    assert sum(left) + len(rows) == 1000
    page.type_into("value-500", "20")
    assert page.lesson()["example"]["winner"] == "500"
    assert page.errors() == []


def test_it_can_be_printed(open_page):
    page = open_page("--logits", "2", "1", "-1")
    printed = page.browser.execute_cdp_cmd("Page.printToPDF", {})
    assert len(printed["data"]) > 10_000


# What is missing of a field's text, in pixels; the text is measured apart from the field.
CUT = """
const ruler = document.createElement("canvas").getContext("2d");
return [...document.querySelectorAll("input[type=number]")].map((field) => {
  const style = getComputedStyle(field);
  ruler.font = `${style.fontSize} ${style.fontFamily}`;
  const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return Math.max(0, ruler.measureText(field.value).width - room);
});
"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("-11.9119", "-11.9119"),
        ("-11.911943912506104", "-11.9119"),
        ("1234.5", "1234.5"),
        ("1234567", "1234567"),
        ("0.10000000000000002", "0.1"),
        ("0.0001", "0.0001"),
        ("-0.00000123456789", "-0.00000123457"),
        ("-1.23456789e-300", "-1.23457e-300"),
        ("123456789012345", "1.23457e+14"),
    ],
)
def test_a_field_shows_its_number_whole(open_page, width, typed, shown):
    page = open_page("--logits", typed, "2")
    page.resize(width, 900)
    value = page.find("#value-0").get_attribute("value")
    assert float(value) == float(shown)
    assert len(value) == len(shown)
    assert max(page.run(CUT)) == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_a_slider_is_wide_enough_to_set_a_value(open_page, width):
    page = open_page("--logits", "0.2", "0.3", "-5", "--classes", *LONG_NAMES[:3])
    page.resize(width, 900)
    page.find("#settings summary").click()
    sliders = page.browser.find_elements("css selector", "#controls input[type=range]")
    assert min(slider.size["width"] for slider in sliders) >= 180


@pytest.mark.parametrize(
    ("logits", "low", "high", "step"),
    [
        (["0.2", "0.3"], -2, 3, 0.05),
        (["0", "0", "0"], -2, 2, 0.05),
        (["2", "1", "-1"], -4, 5, 0.05),
        (["1000", "999"], 997, 1002, 0.05),
        (["-11.91", "1234.5"], -2000, 3000, 50),
        (["-1e308", "1e308"], -1.7976931348623157e308, 1.7976931348623157e308, 5e306),
    ],
)
def test_the_range_of_the_sliders_fits_the_numbers(open_page, logits, low, high, step):
    slider = open_page("--logits", *logits).find("#value-0-slider")
    range_of = [float(slider.get_attribute(name)) for name in ("min", "max", "step")]
    assert range_of == pytest.approx([low, high, step])


def test_a_typed_number_outside_the_range_widens_all_sliders_until_reset(open_page):
    page = open_page("--logits", "0.2", "0.3")
    page.type_into("value-1", "40")
    ends = (
        "return [...document.querySelectorAll('#classes [type=range]')]"
        ".map((s) => [+s.min, +s.max, +s.value])"
    )
    assert page.run(ends) == [[-40, 80, 0], [-40, 80, 40]]
    page.find("#reset").click()
    assert page.run(ends) == [[-2, 3, 0.2], [-2, 3, 0.3]]
    assert page.errors() == []


# For each word of these elements: on how many lines it is.
BROKEN = """
const lines = (node, word) => {
  const range = document.createRange();
  const start = node.data.indexOf(word);
  range.setStart(node, start);
  range.setEnd(node, start + word.length);
  return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
};
return [...document.querySelectorAll("#classes label span, .words, td.number")].flatMap((cell) =>
  cell.textContent.split(/\\s+/).filter((word) => word && lines(cell.firstChild, word) > 1));
"""


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_name_or_number_is_broken_in_the_middle_of_a_word(open_page, width, language):
    names = LONG_NAMES[:3]
    page = open_page(
        "--logits", "-11.9119", "1234.5", "0.0001", "--classes", *names, "--lang", language
    )
    page.resize(width, 900)
    assert page.run(BROKEN) == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("curve", ["first", "second"])
def test_the_curves_have_no_kink(open_page, width, curve):
    page = open_page("--logits", "0.2", "0.3")
    page.resize(width, 900)
    path = page.find(f"#squared_error path.{curve}").get_attribute("d")
    points = [[float(n) for n in point.split()] for point in re.split("[ML]", path)[1:]]
    angles = [
        math.degrees(math.atan2(y - v, x - u))
        for (u, v), (x, y) in itertools.pairwise(points)
        if (u, v) != (x, y)
    ]
    assert max(abs(b - a) for a, b in itertools.pairwise(angles)) < 5


def test_subscripts_are_equally_low_with_a_maths_font(open_page):
    fonts = shutil.which("fc-list") and subprocess.check_output(
        ["fc-list", ":", "family"], text=True
    )
    if "Math" not in (fonts or ""):
        pytest.skip("no maths font is installed")
    page = open_page("--logits", "0.2", "0.3")
    lows = page.run(
        "const top = (e) => { const r = document.createRange(); r.selectNodeContents(e);"
        "return r.getBoundingClientRect().top; };"
        "return [...document.querySelectorAll('#shares msub, #gradient msub')]"
        ".filter((m) => m.firstChild.localName !== 'mo' && !m.closest('mfrac, msup'))"
        ".map((m) => top(m.lastChild) - top(m.firstChild))"
    )
    assert len(lows) == 3  # share_k, p_k, y_k
    assert max(lows) - min(lows) < 2  # of 20 px


# -- the strip ---------------------------------------------------------------------------------


@pytest.mark.parametrize("words", EXAMPLES, ids=lambda words: " ".join(words)[:50])
def test_the_numbers_of_the_strip_are_those_of_the_command(open_page, words):
    page = open_page(*words)
    command = explained(*words)
    steps = {step["name"]: step["numbers"] for step in command["steps"]}
    strip = page.strip()
    assert_same(strip["probabilities"], command["probabilities"], "probabilities")
    assert_same(strip["loss"], command["cross_entropy"], "loss")
    if "softmax" in steps:
        softmax = steps["softmax"]
        direct = softmax["direct_works"]
        names = ("powers_of_e", "sum_of_powers") if direct else ("powers", "total")
        assert_same(strip["powers"], softmax[names[0]], "powers")
        assert_same(strip["total"], softmax[names[1]], "total")
    else:
        assert page.find("#stages .powers").is_displayed() is False
    assert page.errors() == []


def test_the_strip_shows_the_whole_way(open_page):
    page = open_page("--logits", "0.2", "0.3")
    shown = re.sub(r"\s+", " ", page.find("#stages").text)
    for part in ("= 2.571", "1.350 ÷ 2.571 = 0.525", "−log 0.475 = 0.744"):
        assert part in shown
    assert page.run("return document.querySelector('main, #strip').id") == "strip"  # it is first


def slider_of(page, term, k):
    return page.find(f".bar[data-term={term}] input[data-k='{k}']")


@pytest.mark.parametrize(("k", "share"), [(0, 0.9), (1, 0.25), (1, 1.4)])
def test_a_dragged_bar_sets_the_logit_whose_power_has_its_length(open_page, k, share):
    from selenium.webdriver import ActionChains

    page = open_page("--logits", "0.2", "0.3", "--temperature", "2")
    bar = slider_of(page, "power", k)
    full = float(bar.get_attribute("max"))
    width = bar.size["width"]
    actions = ActionChains(page.browser)
    actions.move_to_element(bar).click_and_hold()
    actions.move_by_offset(round(width * (share - 0.5)), 0).release().perform()
    logits = page.lesson()["example"]["logits"]
    length = min(share, 1.0)
    assert logits[k] == pytest.approx(2 * math.log(full * length), abs=6 / (width * length))
    assert logits[1 - k] == [0.2, 0.3][1 - k]
    assert float(page.find(f"#value-{k}").get_attribute("value")) == pytest.approx(logits[k], 1e-5)
    assert_same_lesson(
        page.lesson(), explained("--logits", *map(repr, logits), "--temperature", "2")
    )


def test_a_dragged_bar_sets_a_probability(open_page):
    from selenium.webdriver import ActionChains

    page = open_page("--probabilities", "0.5", "0.25", "0.25")
    bar = slider_of(page, "p", 0)
    width = bar.size["width"]
    ActionChains(page.browser).move_to_element(bar).click_and_hold().move_by_offset(
        round(width * 0.3), 0
    ).release().perform()
    probabilities = page.lesson()["example"]["probabilities"]
    assert probabilities == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


def test_arrow_keys_move_a_bar(open_page):
    page = open_page("--logits", "0.2", "0.3")
    bar = slider_of(page, "power", 0)
    bar.send_keys("\ue014" * 2 + "\ue015")  # twice right, once down
    assert page.lesson()["example"]["logits"][0] == pytest.approx(0.25)
    assert float(bar.get_attribute("value")) == pytest.approx(math.exp(0.25))
    assert bar.get_attribute("aria-valuetext") == "1.284"
    assert bar.get_attribute("aria-label") == "power of e, class cat"
    before = page.lesson()["example"]["p_true"]
    slider_of(page, "p", 0).send_keys("\ue014")
    assert page.lesson()["example"]["p_true"] == pytest.approx(before + 0.01)
    assert page.errors() == []


def test_classes_are_added_and_removed(open_page):
    page = open_page("--logits", "0.2", "0.3")
    add = page.find("#add")
    add.click()
    assert page.lesson()["example"]["classes"] == ["cat", "dog", "person"]
    assert_same_lesson(page.lesson(), explained("--logits", "0.2", "0.3", "0"))
    page.find("#true-2").click()
    page.type_into("value-2", "1")
    for _ in range(3):
        add.click()
    assert page.lesson()["example"]["classes"] == ["cat", "dog", "person", "3", "4", "5"]
    assert not add.is_displayed()
    assert len(page.browser.find_elements("css selector", ".compare .class")) == 6
    page.browser.find_elements("css selector", "#classes button")[2].click()  # the true class
    example = page.lesson()["example"]
    assert example["classes"] == ["cat", "dog", "3", "4", "5"]
    assert example["label"] == 0
    page.find("#reset").click()
    assert_same_lesson(page.lesson(), explained("--logits", "0.2", "0.3"))
    assert page.errors() == []


def test_an_added_class_has_a_name_of_its_own(open_page):
    page = open_page("--logits", "1", "2", "3", "--classes", "person", "3", "4")
    page.find("#add").click()
    assert page.lesson()["example"]["classes"] == ["person", "3", "4", "5"]
    korean = open_page("--logits", "1", "2", "--lang", "ko")
    korean.find("#add").click()
    assert "사람" in korean.text("#stages")


def test_many_classes_are_the_true_one_and_the_highest_five(open_page):
    page = open_page("--logits", *[str(k) for k in range(10)], "--label", "1")
    names = page.browser.find_elements("css selector", ".compare .name")
    assert [name.text.strip("✓ ") for name in names] == ["1", "5", "6", "7", "8", "9"]
    page.type_into("value-0", "20")
    names = page.browser.find_elements("css selector", ".compare .name")
    assert [name.text.strip("✓ ") for name in names] == ["0", "1", "6", "7", "8", "9"]


LIT = """
return [...document.querySelectorAll(".lit")]
  .map((e) => [e.dataset.term, e.dataset.k ?? "", e.closest("#terms") ? "formula" : "number"]);
"""


def test_a_number_is_linked_with_its_term_of_the_formula(open_page):
    from selenium.webdriver import ActionChains

    page = open_page("--logits", "0.2", "0.3")
    assert page.run(LIT) == []
    ActionChains(page.browser).move_to_element(
        page.find(".powers [data-value=powers][data-k='1']")
    ).perform()
    lit = page.run(LIT)
    assert ["power", "", "formula"] in lit
    numbers = [entry for entry in lit if entry[2] == "number"]
    assert len(numbers) == 4  # the sum, the power, its bar, the division
    assert {(term, k) for term, k, _ in numbers} == {("power", "1")}
    page.run("document.querySelector('#terms [data-term=loss]').focus()")
    assert {entry[0] for entry in page.run(LIT)} == {"loss"}
    assert len(page.run(LIT)) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_of_the_classes_can_be_read(open_page, scheme):
    page = open_page("--logits", *"012345")
    page.prefer(scheme)
    colours = page.run(
        "const of = (e, name) => getComputedStyle(e)[name].match(/[0-9.]+/g).map(Number);"
        "return [of(document.querySelector('#strip'), 'backgroundColor'),"
        "...[...document.querySelectorAll('.compare .name')].map((e) => of(e, 'color'))]"
    )
    page.prefer("light")
    paper, *own = (luminance(colour) for colour in colours)
    assert len({tuple(colour) for colour in colours[1:]}) == 6
    for value in own:
        low, high = sorted([paper, value])
        assert (high + 0.05) / (low + 0.05) >= 4.5


def luminance(colour):
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (v / 255 for v in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# -- questions ---------------------------------------------------------------------------------


def result(page, step):
    return page.find(f"#{step} .result")


def choose(page, step, name):
    """Click the choice that shows the number of this name."""
    command = explained("--logits", "0.2", "0.3")
    numbers = next(s["numbers"] for s in command["steps"] if s["name"] == step)
    buttons = page.browser.find_elements("css selector", f"#{step} .question button")
    (button,) = [b for b in buttons if b.text == number(numbers[name])]
    button.click()
    return button


def test_each_step_asks_before_it_shows_its_result(open_page):
    page = open_page("--logits", "0.2", "0.3")
    for step in page.lesson()["steps"]:
        assert not result(page, step["name"]).is_displayed()
        buttons = page.browser.find_elements("css selector", f"#{step['name']} .question button")
        values = [b.text for b in buttons if b.is_displayed()]
        assert 2 <= len(values) == len(set(values)) <= 3


def test_a_right_answer_folds_the_explanation_and_a_wrong_one_shows_it(open_page):
    page = open_page("--logits", "0.2", "0.3")
    assert "right" in choose(page, "softmax", QUESTIONS["softmax"].answer).get_attribute("class")
    assert result(page, "softmax").is_displayed()
    assert not page.find("#softmax .explanation p").is_displayed()
    assert page.text("#softmax [role=status]").startswith("Right: Divide its power of e")

    wrong = QUESTIONS["cross_entropy"].wrong[0]
    assert "wrong" in choose(page, "cross_entropy", wrong.answer).get_attribute("class")
    assert page.find("#cross_entropy .explanation p").is_displayed()
    assert "That is 1 − 0.475" in page.text("#cross_entropy [role=status]")
    assert not result(page, "gradient").is_displayed()

    page.type_into("value-0", "2")  # what is revealed stays so
    assert "That is 1 − 0.8455" in page.text("#cross_entropy [role=status]")
    assert result(page, "cross_entropy").is_displayed()
    assert not result(page, "gradient").is_displayed()


def test_one_button_shows_all_results_or_asks_again(open_page):
    page = open_page("--logits", "0.2", "0.3")
    choose(page, "softmax", "p_winner")
    ask = page.find("#ask")
    page.run("scrollTo(0, 0)")
    assert ask.text == "Show all results"
    ask.click()
    assert all(result(page, step["name"]).is_displayed() for step in page.lesson()["steps"])
    assert page.find("#softmax .explanation p").is_displayed()
    assert not page.find("#softmax .question").is_displayed()
    assert ask.text == "Ask me first"
    ask.click()
    assert not any(result(page, step["name"]).is_displayed() for step in page.lesson()["steps"])


def test_a_question_that_the_numbers_do_not_allow_is_not_asked(open_page):
    page = open_page("--logits", "1", "-1")  # there are no shares
    assert not page.find("#shares .question").is_displayed()
    assert result(page, "shares").is_displayed()
    assert "NaN" not in page.text("#lesson")


# -- gradient descent --------------------------------------------------------------------------


def test_gradient_descent_can_be_watched(open_page):
    page = open_page("--logits", "0.2", "0.3")
    page.open_all()
    courses = explained("--logits", "0.2", "0.3")["steps"][-1]["numbers"]
    slider = page.find("#gradient input")
    slider.send_keys("\ue014" * 3)  # right
    shown = page.text("#gradient output")
    assert shown.startswith("step 3")
    for name in ("p_cross_entropy", "p_squared_error"):
        assert number(courses[name][3]) in shown
    assert slider.get_attribute("aria-valuetext") == shown
    page.type_into("value-0", "-3")  # the curves follow, the step stays
    assert page.text("#gradient output").startswith("step 3")
    assert page.text("#gradient output") != shown


def test_gradient_descent_is_not_animated_for_those_who_want_no_motion(open_page):
    page = open_page("--logits", "0.2", "0.3")
    page.open_all()
    page.find("#gradient .play button").click()
    assert int(page.find("#gradient input").get_attribute("value")) < 100
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.find("#gradient .play button").click()
    assert page.find("#gradient input").get_attribute("value") == "100"
    page.prefer("light")


# -- print -------------------------------------------------------------------------------------


def test_everything_is_printed(open_page):
    page = open_page("--logits", "0.2", "0.3")
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = page.run(
        "return [...document.querySelectorAll('.result p, .result table, .misconception p')]"
        ".filter((e) => e.getBoundingClientRect().height === 0).length"
    )
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert hidden == 0

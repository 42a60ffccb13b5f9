"""The lesson page in a real browser: its arithmetic, its controls, its accessibility."""

from __future__ import annotations

import itertools
import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lesson_page_driver import explained

pytestmark = pytest.mark.slow

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
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
        for name, value in ours["numbers"].items():
            assert_same(value, theirs["numbers"][name], f"{theirs['name']}.{name}")
        assert len(ours["sentences"]) == len(theirs["explanation"])
        assert all(check["holds"] for check in ours["checks"])
        assert [c["message"] for c in ours["checks"]] == [p["claim"] for p in theirs["proofs"]]


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
                assert line in shown
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
    page.type_into("temperature", "2")
    page.type_into("learning-rate", "0.5")
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
    for number in ("2.3502", "0.0953", "0.9047"):  # ln(1 + e^2.25), and the two probabilities
        assert number in page.text("#cross_entropy")
    assert "2.3502" in page.text("#summary")
    assert page.errors() == []


def test_dragging_moves_everything(open_page):
    from selenium.webdriver import ActionChains

    page = open_page("--logits", "0.2", "0.3")
    before = page.text("#summary")
    slider = page.find("#value-0-slider")
    ActionChains(page.browser).click_and_hold(slider).move_by_offset(30, 0).release().perform()
    logits = page.lesson()["example"]["logits"]
    assert logits[0] > 0.5
    assert float(page.find("#value-0").get_attribute("value")) == pytest.approx(logits[0])
    assert page.text("#summary") != before
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


def test_an_invalid_number_is_marked_and_changes_nothing(open_page):
    page = open_page("--logits", "0.2", "0.3")
    before = page.lesson()["example"]["logits"]
    page.type_into("temperature", "0")
    assert page.find("#temperature").get_attribute("aria-invalid") == "true"
    page.type_into("value-0", "\ue017")  # deleted
    assert page.find("#value-0").get_attribute("aria-invalid") == "true"
    assert page.lesson()["example"]["logits"] == before
    page.find("#reset").click()
    assert page.find("#temperature").get_attribute("aria-invalid") is None
    assert page.errors() == []


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
    page.run("document.activeElement.blur(); window.focus();")
    reached = []
    for _ in range(40):
        page.browser.switch_to.active_element.send_keys("\ue004")
        name = page.run("const e = document.activeElement; return e.id || e.className || e.tagName")
        reached.append(name)
    assert reached[0] == "hidden skip"
    order = ["true-0", "value-0-slider", "value-0", "value-1-slider", "value-1"]
    order += ["temperature-slider", "temperature", "learning-rate-slider", "learning-rate", "reset"]
    assert [name for name in reached if name in order][: len(order)] == order


def test_every_picture_has_a_table_below_it_and_a_name(open_page):
    page = open_page("--logits", "2", "1", "-1")
    for step in ("softmax", "squared_error", "gradient"):
        assert page.find(f"#{step} svg").get_attribute("aria-label")
        assert page.find(f"#{step} figure ~ .table table")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_axe_finds_nothing_serious(open_page, scheme, width, language):
    if not AXE.exists():
        pytest.skip("axe-core is not here (tests/page/install_browser.sh)")
    page = open_page("--logits", "2", "1", "-1", "--lang", language)
    page.prefer(scheme)
    page.resize(width, 900)
    page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    # The driver injects axe outside the page's content security policy.
    page.browser.execute_script(AXE.read_text("utf-8"))
    found = page.browser.execute_async_script(
        "const done = arguments[0]; axe.run().then((r) => done(r.violations.map("
        "(v) => [v.impact, v.id, v.nodes.map((n) => n.html + n.failureSummary).slice(0, 3)])))"
    )
    page.prefer("light")
    assert [entry for entry in found if entry[0] in ("serious", "critical", "moderate")] == []


LONG_NAMES = ["longsleeve", "black_and_tan_coonhound", "긴소매 티셔츠", "x" * 80]


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("names", [[*"0123456789"], LONG_NAMES], ids=["digits", "long"])
def test_the_page_fits_its_window(open_page, width, names):
    page = open_page("--logits", *[str(k) for k in range(len(names))], "--classes", *names)
    page.resize(width, 800)
    page.run("document.getElementById('panel').open = true")
    assert (
        page.run("const p = document.getElementById('panel'); return p.scrollWidth - p.clientWidth")
        == 0
    )
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_a_thousand_classes_are_shortened_with_a_count(open_page):
    page = open_page("--logits", *[str(k % 13) for k in range(1000)], "--label", "500")
    assert len(page.lesson()["example"]["logits"]) == 1000
    rows = page.browser.find_elements("css selector", "#softmax tbody tr:not(:has(.more))")
    assert len(rows) <= 12
    left = [int(n) for n in re.findall(r"… (\d+) more", page.text("#softmax tbody"))]
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
    page.run("document.getElementById('panel').open = true")
    value = page.find("#value-0").get_attribute("value")
    assert float(value) == float(shown)
    assert len(value) == len(shown)
    assert max(page.run(CUT)) == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_a_slider_is_wide_enough_to_set_a_value(open_page, width):
    page = open_page("--logits", "0.2", "0.3", "-5", "--classes", *LONG_NAMES[:3])
    page.resize(width, 900)
    page.run("document.getElementById('panel').open = true")
    sliders = page.browser.find_elements("css selector", "input[type=range]")
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
    page.run("document.getElementById('panel').open = true")
    assert page.run(BROKEN) == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_names_beside_the_bars_are_inside_the_picture(open_page, width):
    page = open_page("--logits", "20", "0", "-1", "3", "--classes", "WWWWWWWWWWWW", *LONG_NAMES[1:])
    page.resize(width, 900)
    outside = (
        "const words = document.querySelectorAll('#softmax svg text, #gradient svg text');"
        "return [...words].filter((t) => {"
        "const [box, edge] = [t, t.closest('svg')].map((e) => e.getBoundingClientRect());"
        "return box.left < edge.left - 1 || box.right > edge.right + 1; })"
        ".map((t) => t.textContent)"
    )
    assert page.run(outside) == []
    if width == 1280:
        assert "black_and_tan_coonhound" in page.text("#softmax svg")


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

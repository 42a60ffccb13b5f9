"""The lesson page in a real browser: its arithmetic, its controls, its accessibility."""

from __future__ import annotations

import math
import re
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
    assert_same_lesson(page.lesson(), explained(*words, "--all"))
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
    with_all = open_page("--logits", "0.2", "0.3", "--all")
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
    command = explained(*words, "--all")
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
    assert logits[0] > 1
    assert float(page.find("#value-0").get_attribute("value")) == pytest.approx(logits[0])
    assert page.text("#summary") != before
    command = explained("--logits", *map(repr, logits), "--all")
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


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_the_page_fits_its_window(open_page, width):
    page = open_page("--logits", *[str(k) for k in range(10)])
    page.resize(width, 800)
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

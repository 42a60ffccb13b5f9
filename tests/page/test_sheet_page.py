"""A sheet of exercises in a real browser: on the screen and on paper."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
A4 = (595, 842)  # in points


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_is_accessible_and_loads_nothing(open_page, language, scheme):
    page = open_page("--exercise", "8", "--sheet", "2", "--answers", "--lang", language)
    page.prefer(scheme)
    page.resize(390, 800)
    assert page.run("return document.documentElement.scrollWidth") <= 390
    assert page.errors() == []
    assert page.requests() == [page.address]
    if not AXE.exists():
        pytest.skip("axe-core is not here (tests/page/install_browser.sh)")
    page.run(AXE.read_text("utf-8"))
    found = page.browser.execute_async_script(
        "axe.run().then((r) => arguments[0](r.violations.map((v) => [v.impact, v.id])))"
    )
    page.prefer("light")
    assert [entry for entry in found if entry[0] != "minor"] == []


@pytest.mark.parametrize("sheet", [1, 2, 3, 4])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_prints_on_a4(open_page, language, sheet):
    words = ("--exercise", "8", "--sheet", str(sheet), "--answers", "--lang", language)
    page = open_page(*words)
    printed = page.browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", base64.b64decode(printed["data"]))
    assert len(boxes) == 3  # two for eight exercises, one for the answers
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {A4}

"""One lesson page in a browser, and the command whose page it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def explain(*words: str) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "softmaxce", "explain", *words]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    return done.stdout


def explained(*words: str) -> Any:
    """The command's JSON."""
    return json.loads(explain(*words, "--format", "json"))


AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


class Page:
    """One lesson page in the browser."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.browser, self.address = browser, path.as_uri()
        self.resize(1280, 900)
        self.requests()  # what went before is not this page's
        browser.get_log("browser")
        browser.get(self.address)
        self.run("document.documentElement.style.scrollBehavior = 'auto'")

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of a script in the page."""
        return self.browser.execute_script(script, *arguments)

    def find(self, selector: str) -> Any:
        """The first element that a CSS selector names."""
        return self.browser.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        """Its text, after the frame in which the page renders the steps."""
        self.wait_for_frame()
        return str(self.find(selector).get_attribute("textContent"))

    def wait_for_frame(self) -> None:
        """Let the page render what changed."""
        self.browser.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))"
        )

    def open_all(self) -> None:
        """Show every result and open every box."""
        self.run(
            "if (!document.querySelector('.question').hidden)"
            " document.getElementById('ask').click();"
            "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
        )

    def type_into(self, field: str, value: str) -> None:
        """Replace what stands in a number field, key by key."""
        self.run("scrollTo(0, 0)")  # from below the strip, which stays in view
        element = self.find(f"#{field}")
        element.click()
        element.send_keys("\ue009" + "a" + "\ue000")  # Control-a
        element.send_keys(value)

    def resize(self, width: int, height: int) -> None:
        """Give the page another window."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        """Ask for a light or a dark page."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def requests(self) -> list[str]:
        """The addresses that were asked for since the last call."""
        events = [
            json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")
        ]
        sent = [e for e in events if e["method"] == "Network.requestWillBeSent"]
        return [e["params"]["request"]["url"] for e in sent]

    def axe_findings(self) -> list[Any]:
        """What axe finds that is moderate or worse: impact, rule and the first places of each."""
        if not AXE.exists():
            pytest.skip("axe-core is not here (tests/page/install_browser.sh)")
        # The driver injects axe outside the page's content security policy.
        self.browser.execute_script(AXE.read_text("utf-8"))
        found = self.browser.execute_async_script(
            "const done = arguments[0]; axe.run().then((r) => done(r.violations.map("
            "(v) => [v.impact, v.id, v.nodes.map((n) => n.html + n.failureSummary).slice(0, 3)])))"
        )
        return [entry for entry in found if entry[0] in ("serious", "critical", "moderate")]

    def errors(self) -> list[str]:
        """What the page has complained of."""
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def lesson(self, state: Any = None) -> Any:
        """The page's own arithmetic for `state` or what it holds; ∞ as in the command's JSON."""
        return self.strict("softmaxce.lesson(arguments[0] ?? softmaxce.state())", state)

    def strip(self) -> Any:
        """The numbers that the strip shows."""
        return self.strict("softmaxce.strip.numbers")

    def strict(self, expression: str, *arguments: Any) -> Any:
        """The value of an expression in the page; ∞ as in the command's JSON."""
        script = """
            const strict = (_, value) =>
              typeof value !== "number" || Number.isFinite(value) ? value
              : Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
            return JSON.stringify(EXPRESSION, strict);
        """.replace("EXPRESSION", expression)
        return json.loads(self.run(script, *arguments))

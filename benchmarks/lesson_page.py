"""How quickly the lesson page follows a slider, in Chromium.

    python benchmarks/lesson_page.py [EVENTS]

Moves the first slider of a page of three classes and prints the median time until the strip is laid
out, and until the steps below are too. Required: at most 16 ms each, one frame at 60 Hz.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

EXPLAIN = [sys.executable, "-m", "softmaxce", "explain", "--logits", "2", "1", "-1"]
# For each event: the milliseconds until the strip, and until the whole page, is laid out.
MEASURE = """
const [count, done] = arguments;
const slider = document.getElementById("value-0-slider");
const times = [];
function move(k) {
  if (k === count) return done(times);
  slider.value = (k % 40) / 10;
  const started = performance.now();
  slider.dispatchEvent(new Event("input"));
  document.getElementById("strip").getBoundingClientRect();
  const strip = performance.now() - started;
  requestAnimationFrame(() => {  // after the page's own frame, which was asked for before
    const called = performance.now();
    document.body.getBoundingClientRect();
    const layout = performance.now() - called;
    setTimeout(() => {
      const render = performance.getEntriesByName("steps").at(-1)?.duration ?? 0;
      times.push([strip, strip + render + layout]);
      move(k + 1);
    });
  });
}
move(0);
"""
# Wraps the page's function that renders the steps, which a frame calls.
WRAP = """
const render = window.show;
window.show = () => {
  const started = performance.now();
  render();
  performance.measure("steps", { start: started, end: performance.now() });
};
"""


def chromium() -> Any:
    """A headless Chromium, driven by selenium."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for switch in ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(switch)
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))


def slider_times(driver: Any, n_events: int) -> list[list[float]]:
    """Milliseconds of each event on the open page: the strip's, and the whole page's."""
    driver.execute_script(WRAP)
    return list(driver.execute_async_script(MEASURE, n_events))


def main() -> None:
    """Measure a new page and print the medians."""
    n_events = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lesson.html"
        subprocess.run([*EXPLAIN, "--format", "html", "-o", str(path)], check=True)
        driver = chromium()
        try:
            driver.get(path.as_uri())
            times = slider_times(driver, n_events)
        finally:
            driver.quit()
    strip, whole = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"strip {strip:.1f} ms, whole page {whole:.1f} ms (medians of {n_events} slider events)")


if __name__ == "__main__":
    main()

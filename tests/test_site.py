"""The documentation site: built without a warning, closed in itself, and complete."""

from __future__ import annotations

import html
import json
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
import readme
from helpers import ROOT

import softmaxce
from softmaxce.cli import commands

pytestmark = pytest.mark.slow


class Page(HTMLParser):
    """What a page is made of: its anchors, its links, and the files that a browser loads."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loaded = set(), set(), set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if "href" in given:
            (self.links if tag == "a" else self.loaded).add(given["href"])
        if "src" in given:
            self.loaded.add(given["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    pytest.importorskip("mkdocs", reason="MkDocs is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}


def test_every_link_leads_somewhere(pages):
    for path, page in pages.items():
        for link in page.links | page.loaded:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "data"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            assert target.exists(), f"{path.name}: {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].anchors, f"{path.name}: {link}"


def test_a_page_loads_nothing_from_other_hosts(pages):
    for path, page in pages.items():
        assert not [name for name in page.loaded if urlsplit(name).netloc], path.name


def test_every_page_of_the_folder_is_found_by_the_search(site):
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    assert index["config"]["lang"] == ["en", "ko"]
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert found >= {f"{page.stem}.html" for page in readme.PAGES if page.parent.name == "docs"}


def test_the_reference_contains_every_command_option_and_public_name(site, pages):
    text = (site / "reference-cli.html").read_text("utf-8")
    for name, command in commands.commands.items():
        assert f"softmaxce-{name}" in pages[site / "reference-cli.html"].anchors
        options = [option for parameter in command.params for option in parameter.opts]
        assert not [o for o in options if o.startswith("-") and html.escape(o) not in text], name
    names = {f"softmaxce.{name}" for name in softmaxce.__all__ if name != "__version__"}
    assert names <= pages[site / "reference-python.html"].anchors

"""The report is one file that needs nothing else, and a browser has nothing to complain of."""

import re
import shutil
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace
from playwright.sync_api import sync_playwright

from benchmarks.comparison import compare, parse_rule
from benchmarks.policy.cases import Case, run
from benchmarks.policy.policies import DEFAULT, POLICIES
from benchmarks.policy.services import PROFILES
from benchmarks.report.page import page
from benchmarks.suites.micro import suite_of as micro_suite
from benchmarks.suites.policy import suite_of as policy_suite
from benchmarks.targets import standings, targets
from tests.benchmarks.conftest import drawn, result_of, suite

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
VOID = {"meta", "link"}


@pytest.fixture(scope="module")
def policy():
    wanted = [policy for policy in POLICIES if policy.name in ("off", "llm", DEFAULT)]
    return policy_suite([run(Case(policy, PROFILES[1], 8, seed=1)) for policy in wanted])


@pytest.fixture(scope="module")
def everything(policy, loaded):
    steps = ("reference", "machine.event", "frame.twilio_in", "frame.twilio_out")
    seconds = {step: drawn(n, 2e-6 * (n + 1)) for n, step in enumerate(steps)}
    peers = ("relay", "turnkit", "pipecat", "livekit")
    return result_of(
        policy,
        loaded("overhead", subjects=("relay", "turnkit", "turnkit-http2"), levels=(20, 1, 100)),
        loaded("scale", levels=(1, 10, 50)),
        loaded("soak"),
        loaded("peers", subjects=peers, levels=(10, 25)),
        micro_suite(seconds),
        suite("turns"),
    )


class Balanced(HTMLParser):
    """Fails where an element is not closed, and collects what refers to elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.references, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.references += [v for k, v in attrs if k in ("href", "src", "srcset", "xlink:href")]
        self.ids += [v for k, v in attrs if k == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_element_is_closed_and_nothing_is_elsewhere(everything):
    html = page(everything)
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []
    inside = {f"#{one}" for one in parser.ids}
    assert set(parser.references) <= inside | {"data:,"}
    assert "<script" not in html
    assert not re.search(r"url\(|@import", html)


def test_every_suite_has_its_section_and_all_figures_have_titles(everything):
    html = page(everything)
    for name in ("policy", "overhead", "peers", "scale", "soak", "micro", "turns", "environment"):
        assert f'id="{name}"' in html
    assert html.count("<figure") == html.count("<figcaption><h3>") > 10
    assert "nan" not in re.sub(r"<style>.*?</style>", "", html, flags=re.S).lower().split()


def test_words_of_the_result_cannot_become_markup(everything):
    hostile = replace(everything.suites[0], failures=["<img src=x>"])
    command = "turnkit bench <script>alert(1)</script>"
    html = page(replace(everything, command=command, suites=[hostile]))
    assert "<script" not in html
    assert "<img" not in html
    assert "This run failed" in html


def test_a_regression_is_on_the_first_screen(measured):
    base, now = measured(1), measured(2, median=3.0)
    verdicts = compare(base, now, [parse_rule("overhead.p99>5%")])
    now.suites[0].name = "other"
    assert "1 of 1 figures are worse than allowed" in page(now, base, verdicts)


def test_a_missed_target_is_told_before_the_suites(everything):
    reached = standings(everything, targets())
    missed = sum(not one.held for one in reached)
    assert missed
    html = page(everything, reached=reached)
    assert f"targets are held, {missed} missed" in html
    assert html.index("overhead of a turn, median") < html.index('id="overhead"')


def test_an_empty_result_is_a_page_too():
    assert "Environment" in page(result_of())


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_has_no_complaint(everything, tmp_path, width, scheme):
    if CHROMIUM is None:
        pytest.skip("no chromium or google-chrome on this machine")
    (tmp_path / "report.html").write_text(page(everything), encoding="utf-8")
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        shown.on("console", lambda line: complaints.append(line.text))
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.on("request", lambda request: complaints.append(request.url))
        shown.goto((tmp_path / "report.html").as_uri())
        wide = shown.evaluate("document.documentElement.scrollWidth")
        outside = shown.evaluate(
            """[...document.querySelectorAll('svg text')].filter(t => {
                 const a = t.getBoundingClientRect();
                 const b = t.closest('figure').getBoundingClientRect();
                 return a.width && (a.right > b.right + 1 || a.left < b.left - 1);
               }).map(t => t.textContent)"""
        )
        browser.close()
    assert [c for c in complaints if not c.startswith("file://")] == []
    assert wide == width
    assert outside == []

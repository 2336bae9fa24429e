"""The page in a real browser: what is said, drafted, heard and cut can be seen."""

import base64
import math
import shutil
import time
from collections import deque
from contextlib import contextmanager

import anyio
import numpy as np
import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import expect, sync_playwright

from turnkit import server
from turnkit.agent import Agent
from turnkit.asgi import create_app
from turnkit.config import Settings
from turnkit.errors import TransportClosed
from turnkit.listeners.base import ReplyHeard, ReplyWorded
from turnkit.session import converse
from turnkit.turn.commands import Answer, CancelReply, ReleaseReply, StartReply
from turnkit.turn.events import (
    EagerEndOfTurn,
    EndOfTurn,
    PlayoutFinished,
    PlayoutStarted,
    StartOfTurn,
    TurnResumed,
    Update,
)

pytestmark = pytest.mark.browser

WAIT_S = 30.0
"""For what a browser does in a moment, unless this machine has much else to do."""

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
ALLOWED = "--use-fake-ui-for-media-stream"
TONE = (np.sin(np.arange(480) * 2 * np.pi / 48) * 8000).astype("<i2").tobytes()  # 20 ms, 500 Hz


@pytest.fixture(scope="module")
def launch():
    """Return what starts a browser with these arguments."""
    if CHROMIUM is None:
        pytest.skip("no chromium or google-chrome on this machine")
    expect.set_options(timeout=WAIT_S * 1000)
    with sync_playwright() as playwright:

        def launch(*arguments):
            return playwright.chromium.launch(
                executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments]
            )

        yield launch


@pytest.fixture(scope="module")
def chromium(launch):
    with launch(ALLOWED) as chromium:
        yield chromium


@pytest.fixture
def page(chromium):
    """A page whose complaints fail the test."""
    page = chromium.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    yield page
    page.close()
    assert complaints == []


@contextmanager
def serving(conversation=converse, agent=Agent, **settings):
    """Run a server in a thread of its own; give its URL."""
    settings = Settings.model_construct(**settings)
    app = create_app(agent, settings, conversation)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(server.running(app, settings)) as url,
    ):
        yield url.replace("127.0.0.1", "localhost")  # to which browsers lend the microphone


class Stage:
    """A conversation whose notes and sounds a test gives, one by one."""

    def __init__(self):
        self.heard_bytes = 0
        self.playout = []
        self.frames_to_come = 0
        """Of reply 1, sent twelve times as fast as they are heard; more at a time is skipped."""
        self._cues = deque()

    def __call__(self, *cues):
        self._cues.extend(cues)

    async def converse(self, agent, transport, settings, listeners):
        async with anyio.create_task_group() as tasks:
            for work in (transport.run, lambda: self._listen(transport, tasks.cancel_scope)):
                tasks.start_soon(work)
            while True:
                await anyio.sleep(0.005)
                for _ in range(min(3, self.frames_to_come)):
                    transport.play(1, TONE)
                    self.frames_to_come -= 1
                while self._cues:
                    cue = self._cues.popleft()
                    if callable(cue):
                        cue(transport)
                    else:
                        transport.note(anyio.current_time(), cue)

    async def _listen(self, transport, scope):
        try:
            while True:
                match await transport.receive():
                    case bytes() as audio:
                        self.heard_bytes += len(audio)
                    case report:
                        self.playout.append((report.reply, report.played_s))
        except TransportClosed:
            scope.cancel()


@pytest.fixture(scope="module")
def theatre():
    """A server all of whose calls take place on the newest stage; its URL and its stages."""
    stages = []

    async def perform(*call):
        await stages[-1].converse(*call)

    with serving(perform) as url:
        yield url, stages


@pytest.fixture
def stage(theatre):
    stage = Stage()
    theatre[1].append(stage)
    return stage


@pytest.fixture
def url(theatre, stage):
    return theatre[0]


@pytest.fixture
def called(page, url):
    """The page, in a call with the stage."""
    page.goto(url)
    page.click("#talk")
    expect(page.locator("body")).to_have_attribute("data-state", "live")
    yield page
    page.click("#talk")
    expect(page.locator("body")).to_have_attribute("data-state", "over")


def played(page):
    """Return how many samples came out of the loudspeaker."""
    return int(page.locator("body").get_attribute("data-played") or 0)


def until(page, holds):
    """Let the page go on until this holds."""
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end
        page.wait_for_timeout(20)


def test_words_appear_as_they_are_said(called, stage):
    stage(StartOfTurn(0), Update(0, "book"))
    bubble = called.locator("#conversation .user")
    expect(bubble).to_have_attribute("data-state", "live")
    stage(Update(0, "book a table"), EndOfTurn(0, "book a table"))
    expect(bubble).to_have_attribute("data-state", "final")
    expect(bubble.locator("p")).to_have_text("book a table")


def test_a_draft_is_ghosted_and_dropped_when_the_user_goes_on(called, stage):
    answer = StartReply(1, Answer(0, "book", drafted=True))
    stage(StartOfTurn(0), EagerEndOfTurn(0, "book"), answer, ReplyWorded(1, "Which book?"))
    draft = called.locator("#conversation .agent")
    expect(draft).to_have_attribute("data-state", "draft")
    expect(draft).to_contain_text("draft, not audible")
    stage(TurnResumed(0, "book a"), CancelReply(1, "resumed"), ReplyHeard(1, "", "Which book?"))
    expect(draft).to_have_attribute("data-state", "dropped")
    expect(draft.locator("s")).to_have_text("Which book?")
    expect(called.locator("#drafts")).to_have_text("0 of 1")


def test_a_kept_draft_turns_solid_and_tells_its_head_start(called, stage):
    stage(EagerEndOfTurn(0, "book"), StartReply(1, Answer(0, "book", drafted=True)))
    stage(EndOfTurn(0, "book"), ReleaseReply(1), PlayoutStarted(1), ReplyWorded(1, "Gladly."))
    reply = called.locator("#conversation .agent")
    expect(reply).to_have_attribute("data-state", "speaking")
    expect(reply).to_contain_text("draft kept")
    stage(ReplyHeard(1, "Gladly.", ""), PlayoutFinished(1))
    expect(reply).to_have_attribute("data-state", "said")
    expect(called.locator("#drafts")).to_have_text("1 of 1")


def test_a_reply_is_played_to_its_last_sample_and_reported(called, stage):
    stage(*[lambda to: to.play(1, TONE)] * 25, lambda to: to.finish(1))
    expect(called.locator("body")).to_have_attribute("data-played", str(25 * 480))
    until(called, lambda: stage.playout[-1:] == [(1, 0.5)])
    assert stage.playout == sorted(stage.playout)


def test_a_barge_in_cuts_the_sound_at_once_and_the_words_at_what_was_heard(called, stage):
    stage(StartReply(1, Answer(0, "", drafted=False)), PlayoutStarted(1))
    stage(ReplyWorded(1, "Seven or eight?"))
    stage.frames_to_come = 1000
    until(called, lambda: played(called) > 4800 and not stage.frames_to_come)
    stage(lambda to: to.clear(1), CancelReply(1, "barge_in"), ReplyHeard(1, "Seven or ", "eight?"))
    reply = called.locator("#conversation .agent")
    expect(reply).to_have_attribute("data-state", "cut")
    expect(reply.locator("s")).to_have_text("eight?")
    stage(*[lambda to: to.play(2, TONE)] * 5, lambda to: to.finish(2))
    until(called, lambda: (2, 0.1) in stage.playout)  # it would be behind all of the first
    heard_s = max(played_s for reply, played_s in stage.playout if reply == 1)
    assert 0.1 < heard_s < 20.0


def test_hostile_words_are_shown_and_not_run(called, stage):
    words = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    stage(StartOfTurn(0), EndOfTurn(0, words), StartReply(1, Answer(0, words, drafted=False)))
    stage(ReplyWorded(1, words), ReplyHeard(1, words, words))
    expect(called.locator("#conversation .user p")).to_have_text(words)
    expect(called.locator("#conversation .agent p")).to_have_text(words * 2)
    assert called.locator("#conversation img, #conversation script").count() == 0
    assert called.title() == "turnkit"


def test_the_microphone_arrives(called, stage):
    until(called, lambda: stage.heard_bytes > 32_000)


def test_nothing_is_fetched_from_elsewhere_and_no_rule_of_the_csp_is_broken(page, url):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(url)
    page.click("#talk")
    expect(page.locator("body")).to_have_attribute("data-state", "live")
    page.click("#talk")
    assert len(requests) > 8
    assert all(request.startswith(url) for request in requests)


def test_a_microphone_that_is_refused_is_explained(launch, url):
    with launch("--deny-permission-prompts") as chromium:
        page = chromium.new_page()
        page.goto(url)
        page.click("#talk")
        expect(page.locator("#trouble")).to_contain_text("not allowed for this page")
        expect(page.locator("#label")).to_have_text("Start talking")


def test_a_server_that_is_gone_is_explained(chromium, stage):
    page = chromium.new_page()
    with serving(stage.converse) as url:
        page.goto(url)
        page.click("#talk")
        expect(page.locator("body")).to_have_attribute("data-state", "live")
    expect(page.locator("#trouble")).to_contain_text("The server is restarting")
    page.click("#talk")
    page.close()


def test_a_busy_server_is_explained(chromium, stage):
    page = chromium.new_page()
    with serving(stage.converse, max_calls=0) as url:
        page.goto(url)
        page.click("#talk")
        expect(page.locator("#trouble")).to_contain_text("all 0 lines are busy")
    page.close()


@pytest.mark.parametrize(("hz", "loudness_db"), [(300, 0), (3000, 0), (6500, 0), (10_000, -70)])
def test_the_microphone_has_16_khz_and_keeps_the_voice_and_no_aliases(page, url, hz, loudness_db):
    page.goto(url)
    frames = page.evaluate(RECORD_TONE, hz)
    samples = np.concatenate(frames)[1600:]
    assert [len(frame) for frame in frames] == [320] * 49  # and a last one that is not full
    measured_db = 20 * math.log10(np.sqrt(np.mean(samples**2.0)) / (16384 / math.sqrt(2)) + 1e-9)
    assert measured_db == pytest.approx(0, abs=0.5) if loudness_db == 0 else measured_db < -60


RECORD_TONE = """async (hz) => {
    const context = new OfflineAudioContext(1, 48000, 48000);
    await context.audioWorklet.addModule("static/microphone.js");
    const tone = new OscillatorNode(context, {frequency: hz});
    const half = new GainNode(context, {gain: 0.5});
    const ears = new AudioWorkletNode(context, "microphone");
    const frames = [];
    ears.port.onmessage = ({data}) => frames.push(Array.from(new Int16Array(data)));
    tone.connect(half).connect(ears).connect(context.destination);
    tone.start();
    await context.startRendering();
    for (let waits = 0; waits < 3000 && frames.length < 49; waits++)
        await new Promise((resolve) => setTimeout(resolve, 10));
    return frames;
}"""


class Concierge(Agent):
    async def reply(self, turn):
        yield "You are very welcome here. "
        yield "We have two rooms with a view of the river, and one that looks at the garden. "
        yield "All of them come with breakfast, which is served from seven to eleven."


@pytest.fixture(scope="session")
def clip(shared):
    """Return what a real person says, for `say` of the page."""
    soundfile = pytest.importorskip("soundfile")

    def read(name):
        path = shared / "audio" / "utterance" / f"{name}.flac"
        return base64.b64encode(soundfile.read(path, dtype="int16")[0].tobytes()).decode()

    return read


# A microphone that is silent, but for what it is told to say.
PERSON = """
const context = new AudioContext({sampleRate: 16000});
const mouth = new MediaStreamAudioDestinationNode(context, {channelCount: 1});
navigator.mediaDevices.getUserMedia = async () => mouth.stream;
window.say = (spoken) => {
    const bytes = Uint8Array.from(atob(spoken), (letter) => letter.charCodeAt(0));
    const samples = Float32Array.from(new Int16Array(bytes.buffer), (sample) => sample / 32768);
    const buffer = new AudioBuffer({length: samples.length, sampleRate: 16000});
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, {buffer});
    source.connect(mouth);
    source.start();
};
"""


def test_a_person_is_answered_and_can_interrupt(chromium, clip):
    pytest.importorskip("pocketsphinx")
    pytest.importorskip("espeakng_loader")
    with serving(agent=Concierge) as url:
        page = chromium.new_page()
        page.add_init_script(PERSON)
        page.goto(url)
        page.click("#talk")
        expect(page.locator("body")).to_have_attribute("data-state", "live")
        page.evaluate("(spoken) => say(spoken)", clip("dialogflow_book_a_room"))
        first = page.locator("#conversation .user").first
        expect(first).to_have_attribute("data-state", "final")
        expect(first.locator("p")).not_to_be_empty()
        until(page, lambda: played(page) > 24_000)
        # Too long to be an acknowledgement.
        page.evaluate("(spoken) => say(spoken)", clip("google_brooklyn"))
        answer = page.locator("#conversation .agent").first
        expect(answer).to_have_attribute("data-state", "cut")
        expect(answer.locator("p")).to_contain_text("You are very welcome here.")
        expect(answer.locator("s")).to_contain_text("seven to eleven.")
        page.click("#talk")
        expect(page.locator("body")).to_have_attribute("data-state", "over")
        page.close()

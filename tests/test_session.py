"""Whole conversations on virtual time: what is heard, and when, to the exact instant."""

import anyio
import pytest
import structlog
from structlog.testing import capture_logs

from turnkit.agent import Agent, Audio
from turnkit.config import Settings
from turnkit.history import Message, ToolUse
from turnkit.listeners.base import AgentStuck, ReplyHeard
from turnkit.session import Session
from turnkit.sources.base import DICTATION, Change
from turnkit.testing import breaches, play
from turnkit.testing.fakes import (
    ExactVoice,
    MemoryTransport,
    ScriptedAgent,
    ScriptedSource,
    Tape,
)
from turnkit.testing.play import Span, run_until
from turnkit.transports.base import DigitPressed, EndTurnRequested
from turnkit.turn.commands import CancelReply, CloseTurn, PauseReply, ResumeReply
from turnkit.turn.events import (
    CallEnded,
    EagerEndOfTurn,
    EndOfTurn,
    ReplyFailed,
    StartOfTurn,
    TurnResumed,
    Update,
)

pytestmark = pytest.mark.anyio

BOOK = "book a table"
EAGER = (
    (0.0, StartOfTurn(0)),
    (1.0, EagerEndOfTurn(0, BOOK)),
    (1.7, EndOfTurn(0, BOOK)),
)


async def test_an_eager_reply_is_heard_the_moment_the_turn_is_confirmed():
    heard = await play(*EAGER, llm_s=0.4, tts_s=0.15)
    assert heard.first_sound_at == 1.7


async def test_a_reply_that_is_not_ready_is_heard_as_soon_as_it_is():
    heard = await play(*EAGER, llm_s=0.7, tts_s=0.15)
    assert heard.first_sound_at == 1.85


async def test_without_speculation_the_reply_is_prepared_after_the_end():
    off = Settings.model_construct(speculate="off")
    heard = await play(*EAGER, llm_s=0.4, tts_s=0.15, settings=off)
    assert heard.first_sound_at == 2.25


async def test_with_speculation_on_words_alone_the_voice_waits_for_the_end():
    llm = Settings.model_construct(speculate="llm")
    heard = await play(*EAGER, llm_s=0.4, tts_s=0.15, settings=llm)
    assert heard.first_sound_at == 1.85


async def test_a_resumed_turn_leaves_nothing_to_hear_and_no_trace_in_history():
    heard = await play(
        (0.0, StartOfTurn(0)),
        (1.0, EagerEndOfTurn(0, BOOK)),
        (1.2, TurnResumed(0)),
        llm_s=0.1,
        hang_up_at=9.0,
    )
    assert heard.sounds == []
    assert heard.history == ()
    assert heard.items(CancelReply) == [(1.2, CancelReply(1, "resumed"))]


async def test_the_draft_for_other_words_is_not_the_one_that_is_heard():
    heard = await play(
        (1.0, EagerEndOfTurn(0, "I need help")),
        (1.7, EndOfTurn(0, "I need help with", "manual")),
        llm_s=0.4,
    )
    assert heard.spans[0].start == 2.1
    assert heard.history[-1] == Message("agent", "You said: I need help with")


async def test_a_barge_in_stops_the_sound_at_once_and_cuts_history_to_what_was_heard():
    agent = ScriptedAgent(lambda turn: ["One two three four five six seven eight nine ten."])
    heard = await play((1.0, EndOfTurn(0, "count")), (2.0, StartOfTurn(1)), agent=agent)
    assert heard.spans == [Span(1, 1.0, 2.0)]
    assert heard.history == (Message("user", "count"), Message("agent", "One two three four"))
    assert agent.interruptions == [("One two three four ", "five six seven eight nine ten.")]
    assert heard.outcomes == {0: "interrupted"}


async def test_the_turn_after_a_barge_in_already_sees_what_was_heard():
    agent = ScriptedAgent(lambda turn: ["One two three four five six seven eight nine ten."])
    await play(
        (1.0, EndOfTurn(0, "count")),
        (2.0, StartOfTurn(1)),
        (2.0, EagerEndOfTurn(1, "stop")),
        agent=agent,
    )
    assert agent.turns[1].history == (
        Message("user", "count"),
        Message("agent", "One two three four"),
    )


async def test_audio_runs_at_most_the_lead_ahead_of_the_clock():
    transport = MemoryTransport()
    session = Session(
        ScriptedAgent(lambda turn: ["x" * 200]),
        source=ScriptedSource([(1.0, EndOfTurn(0, "go"))]),
        voice=ExactVoice(),
        transport=transport,
        settings=Settings.model_construct(lead_ms=200),
    )
    await run_until(session, transport, 3.0)
    assert max(sound.end for sound in transport.far_end.sounds) == 3.0
    assert max(s.start - s.arrived for s in transport.far_end.sounds) == pytest.approx(0.18)


async def test_an_agent_that_fails_before_its_first_word_is_apologised_for():
    agent = ScriptedAgent(lambda turn: [RuntimeError("boom")])
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=agent)
    assert heard.items(ReplyFailed) == [(1.0, ReplyFailed(1, "RuntimeError: boom"))]
    assert heard.items(CloseTurn)[0][1] == CloseTurn(0, "failed", "RuntimeError: boom")
    assert heard.history[-1].text.startswith("Sorry")


async def test_an_agent_that_fails_after_its_first_words_is_heard_so_far_then_apologised_for():
    agent = ScriptedAgent(lambda turn: ["Let me see. ", RuntimeError("boom")])
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=agent)
    assert [message.text for message in heard.history][1:] == [
        "Let me see.",
        "Sorry, something went wrong on my side. Could you say that again?",
    ]
    assert heard.outcomes == {0: "failed"}


async def test_a_draft_that_fails_is_tried_afresh_once_the_turn_is_final():
    def answer(turn):
        return [RuntimeError("boom")] if turn.speculative else ["Better now."]

    heard = await play(*EAGER, agent=ScriptedAgent(answer))
    assert heard.outcomes == {0: "answered"}
    assert heard.history[-1] == Message("agent", "Better now.")


async def test_a_voice_that_fails_costs_one_reply():
    voice = ExactVoice(fails=lambda text: "one" in text)
    heard = await play((1.0, EndOfTurn(0, "one")), (5.0, EndOfTurn(1, "two")), voice=voice)
    assert heard.outcomes == {0: "failed", 1: "answered"}


async def test_an_agent_that_never_answers_is_apologised_for_when_time_is_up():
    agent = ScriptedAgent(thinking_s=1000)
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=agent)
    assert heard.first_sound_at == 16.0
    assert heard.outcomes == {0: "failed"}


async def test_an_agent_that_stops_in_mid_reply_is_given_up():
    agent = ScriptedAgent(lambda turn: ["One moment. ", "Never."], pause_s=1000)
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=agent)
    assert heard.items(ReplyFailed)[0][1] == ReplyFailed(1, "it stopped in mid-reply")
    assert heard.history[1] == Message("agent", "One moment.")


async def test_an_agent_that_says_nothing_declines():
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=ScriptedAgent(lambda turn: []))
    assert heard.outcomes == {0: "declined"}
    assert heard.sounds == []


async def test_an_agent_that_yields_nonsense_fails_with_its_name():
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=ScriptedAgent(lambda turn: [7]))
    reason = "TypeError: reply() yielded int; yield str or turnkit.Audio"
    assert heard.items(CloseTurn)[0][1] == CloseTurn(0, "failed", reason)


@pytest.mark.parametrize(
    ("reply", "returned"),
    [(lambda _: "hello", "str"), (lambda _: ["hello"], "list"), (anyio.sleep, "coroutine")],
)
async def test_an_agent_that_is_no_generator_fails_with_what_to_write(reply, returned):
    class Plain(Agent):
        def reply(self, turn):
            return reply(turn)

    heard = await play((1.0, EndOfTurn(0, "hi")), agent=Plain())
    (_, closed), *_ = heard.items(CloseTurn)
    assert closed.reason == (
        f"TypeError: reply() returned {returned}; write it as an async generator: "
        "async def reply(self, turn): yield ..."
    )


async def test_an_agent_that_is_no_generator_and_raises_costs_one_reply():
    class Plain(Agent):
        def reply(self, turn):
            raise ValueError("boom")

    heard = await play((1.0, EndOfTurn(0, "hi")), agent=Plain())
    assert heard.items(CloseTurn)[0][1] == CloseTurn(0, "failed", "ValueError: boom")


class Deaf(Agent):
    """Swallows every cancellation, for half a minute."""

    async def reply(self, turn):
        yield "I will not be stopped, whatever you do. "
        while anyio.current_time() < 30:
            try:
                await anyio.sleep(1)
            except BaseException:  # noqa: BLE001
                continue


async def test_an_agent_that_swallows_cancellation_is_silent_at_once_and_then_abandoned():
    heard = await play(
        (1.0, EndOfTurn(0, "hi")), (2.0, StartOfTurn(1)), agent=Deaf(), hang_up_at=9.0
    )
    assert heard.spans == [Span(1, 1.0, 2.0)]
    assert heard.items(AgentStuck) == [(4.0, AgentStuck(1))]


async def test_an_endless_reply_is_cut_to_the_characters_allowed():
    settings = Settings.model_construct(max_reply_chars=100)
    agent = ScriptedAgent(lambda turn: ["and so on "] * 1000)
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=agent, settings=settings)
    assert heard.history[-1].text == ("and so on " * 10).strip()


async def test_staged_audio_waits_for_room_and_none_of_it_is_lost():
    settings = Settings.model_construct(staged_audio_s=1.0)
    agent = ScriptedAgent(lambda turn: ["x" * 100 + " "] * 3)
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=agent, settings=settings)
    assert sum(span.end - span.start for span in heard.spans) == pytest.approx(15.0)


async def test_an_agent_may_play_audio_instead_of_words():
    agent = ScriptedAgent(lambda turn: [Audio(b"\x00\x10" * 8000, 8000, text="a jingle")])
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=agent)
    assert heard.spans == [Span(1, 1.0, 2.0)]
    assert heard.history[-1] == Message("agent", "a jingle")


@pytest.mark.parametrize(("words", "at"), [("One moment.", 1.0), ("One moment:", 1.1)])
async def test_words_before_slow_work_are_heard_at_once_or_after_a_short_pause(words, at):
    agent = ScriptedAgent(lambda turn: [words, "Done."], pause_s=5.0)
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=agent)
    assert heard.first_sound_at == at
    assert heard.history[1] == Message("agent", f"{words}Done.")


class Clerk(Agent):
    """Does something that cannot be undone."""

    def __init__(self):
        self.booked = []

    async def on_start(self, session):
        return "Welcome."

    async def reply(self, turn):
        yield "One moment. "
        await turn.settled()
        self.booked.append((anyio.current_time(), turn.transcript))
        yield "Booked."


async def test_nothing_irreversible_happens_on_a_guess():
    clerk = Clerk()
    await play(
        (2.0, EagerEndOfTurn(0, BOOK)),
        (3.0, TurnResumed(0)),
        (4.0, EagerEndOfTurn(0, "book two")),
        (5.0, EndOfTurn(0, "book two")),
        agent=clerk,
    )
    assert clerk.booked == [(5.0, "book two")]


async def test_the_agent_may_open_the_conversation():
    heard = await play((9.0, StartOfTurn(0)), agent=Clerk())
    assert heard.first_sound_at == 0.0
    assert heard.history == (Message("agent", "Welcome."),)


async def test_a_greeting_gives_way_to_a_user_who_speaks_first():
    heard = await play((0.1, StartOfTurn(0)), agent=Clerk())
    assert heard.spans == [Span(1, 0.0, 0.1)]


async def test_hanging_up_in_mid_reply_ends_everything_and_tells_the_agent():
    agent = ScriptedAgent(lambda turn: ["x" * 400])
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=agent, hang_up_at=2.0)
    assert agent.ended == ["hung up"]
    assert heard.items(CloseTurn)[-1][1] == CloseTurn(0, "interrupted", "call ended")
    assert len(heard.items(ReplyHeard)) == 1


async def test_a_hook_that_raises_changes_nothing():
    class Rude(ScriptedAgent):
        async def on_start(self, session):
            raise RuntimeError("start")

        async def on_end(self, reason):
            raise RuntimeError("end")

    heard = await play((1.0, EndOfTurn(0, "hi")), agent=Rude())
    assert heard.outcomes == {0: "answered"}


async def test_an_apology_that_cannot_be_made_still_closes_the_turn():
    class Speechless(ScriptedAgent):
        async def on_error(self, turn, error):
            raise RuntimeError("no words")

    agent = Speechless(lambda turn: [RuntimeError("boom")])
    heard = await play((1.0, EndOfTurn(0, "hi")), agent=agent)
    assert heard.outcomes == {0: "failed"}


async def test_a_listener_that_raises_is_dropped_and_disturbs_nobody():
    class Broken:
        def note(self, at, item):
            raise RuntimeError("broken")

    transport, tape = MemoryTransport(), Tape()
    session = Session(
        ScriptedAgent(),
        source=ScriptedSource([(1.0, EndOfTurn(0, "hi"))]),
        voice=ExactVoice(),
        transport=transport,
        settings=Settings.model_construct(),
        listeners=[Broken(), tape],
    )
    await run_until(session, transport, 9.0)
    assert isinstance(tape.items[-1][1], CallEnded)


async def test_a_flood_of_updates_loses_updates_and_nothing_else():
    flood = [(1.0, Update(0, f"word {n}")) for n in range(5000)]
    heard = await play(*flood, (1.0, EndOfTurn(0, "hi")))
    assert heard.outcomes == {0: "answered"}


@pytest.mark.parametrize("speculate", ["off", "llm", "llm+tts"])
async def test_every_promise_holds_in_a_long_conversation(speculate):
    script = []
    for turn in range(50):
        start = turn * 2.0
        script += [(start, StartOfTurn(turn)), (start + 0.5, EagerEndOfTurn(turn, f"t{turn}"))]
        script += [(start + 0.7, EndOfTurn(turn, f"t{turn}"))]
    settings = Settings.model_construct(speculate=speculate)
    heard = await play(*script, llm_s=0.1, tts_s=0.1, settings=settings)
    assert breaches(heard) == []
    assert len(heard.outcomes) == 50


# The speculative seam in user code.


async def test_what_hangs_on_the_turn_being_final_happens_then_and_only_then():
    log = []

    class Careful(Agent):
        async def reply(self, turn):
            turn.on_commit(lambda: log.append(("commit", turn.attempt, anyio.current_time())))
            turn.on_rollback(lambda: log.append(("rollback", turn.attempt, anyio.current_time())))
            yield "Fine."

    heard = await play(
        (1.0, EagerEndOfTurn(0, "one")),
        (2.0, TurnResumed(0)),
        (3.0, EagerEndOfTurn(0, "two")),
        (4.0, EndOfTurn(0, "two")),
        agent=Careful(),
    )
    assert log == [("rollback", 1, 2.0), ("commit", 2, 4.0)]
    assert heard.outcomes == {0: "answered"}


async def test_attempts_at_a_turn_share_what_they_kept_and_their_key():
    seen = []

    class Keeper(Agent):
        async def reply(self, turn):
            turn.kept.setdefault("looked up", turn.attempt)
            seen.append((turn.index, turn.kept["looked up"], turn.key))
            yield "Fine."

    await play(
        (1.0, EagerEndOfTurn(0, "one")),
        (3.0, EndOfTurn(0, "two")),
        (9.0, EndOfTurn(1, "three")),
        agent=Keeper(),
    )
    assert [(turn, kept) for turn, kept, _ in seen] == [(0, 1), (0, 1), (1, 1)]
    assert seen[0][2] == seen[1][2] != seen[2][2]


USE = ToolUse("look_up", "{}", "42", key="k")


class Doer(Agent):
    """Does something harmless, at once."""

    async def reply(self, turn):
        turn.done.append(USE)
        yield "Fine."


async def test_what_was_done_on_a_guess_that_was_dropped_leaves_no_trace():
    heard = await play((1.0, EagerEndOfTurn(0, "one")), (2.0, TurnResumed(0)), agent=Doer())
    assert heard.history == ()


async def test_what_was_done_enters_history_before_what_was_heard_of_it():
    heard = await play((1.0, EagerEndOfTurn(0, "a")), (2.0, EndOfTurn(0, "a")), agent=Doer())
    assert heard.history == (Message("user", "a"), USE, Message("agent", "Fine."))


async def test_an_action_that_raises_changes_nothing():
    class Rash(Agent):
        async def reply(self, turn):
            turn.on_commit(lambda: 1 / 0)
            yield "Fine."

    heard = await play((1.0, EagerEndOfTurn(0, "a")), (2.0, EndOfTurn(0, "a")), agent=Rash())
    assert heard.outcomes == {0: "answered"}


# Barge-in that asks first.

PAUSE = Settings.model_construct(barge_in="pause")
COUNT = ScriptedAgent(lambda turn: ["One two three four five six seven eight nine ten."])


async def test_a_backchannel_pauses_the_reply_within_a_frame_and_it_goes_on_where_it_was():
    heard = await play(
        (1.0, EndOfTurn(0, "count")),
        (2.0, StartOfTurn(1, "...")),
        (2.3, Update(1, "mm-hm")),
        (2.5, EndOfTurn(1, "mm-hm")),
        agent=COUNT,
        settings=PAUSE,
    )
    assert heard.spans == [Span(1, 1.0, 2.0), Span(1, 2.5, 3.96)]
    assert heard.outcomes == {1: "declined", 0: "answered"}
    assert heard.items(ResumeReply) == [(2.5, ResumeReply(1, "backchannel"))]
    assert breaches(heard) == []


async def test_noise_pauses_the_reply_only_for_so_long():
    heard = await play(
        (1.0, EndOfTurn(0, "count")), (2.0, StartOfTurn(1, "...")), agent=COUNT, settings=PAUSE
    )
    assert heard.spans[:2] == [Span(1, 1.0, 2.0), Span(1, 2.8, 4.26)]
    assert heard.items(ResumeReply)[0][1] == ResumeReply(1, "no words in time")


async def test_words_during_the_pause_stop_the_reply_for_good():
    agent = ScriptedAgent(lambda turn: ["One two three four five six seven eight nine ten."])
    heard = await play(
        (1.0, EndOfTurn(0, "count")),
        (2.0, StartOfTurn(1, "...")),
        (2.3, Update(1, "no wait")),
        agent=agent,
        settings=PAUSE,
        hang_up_at=5.0,
    )
    assert heard.spans == [Span(1, 1.0, 2.0)]
    assert agent.interruptions == [("One two three four ", "five six seven eight nine ten.")]
    assert heard.outcomes == {0: "interrupted"}


async def test_words_after_the_reply_was_resumed_still_stop_it():
    heard = await play(
        (1.0, EndOfTurn(0, "count")),
        (2.0, StartOfTurn(1, "...")),
        (3.0, Update(1, "no wait")),
        agent=COUNT,
        settings=PAUSE,
        hang_up_at=5.0,
    )
    assert heard.spans == [Span(1, 1.0, 2.0), Span(1, 2.8, 3.0)]


async def test_two_words_at_once_need_no_pause():
    heard = await play(
        (1.0, EndOfTurn(0, "count")), (2.0, StartOfTurn(1, "no wait")), agent=COUNT, settings=PAUSE
    )
    assert heard.items(PauseReply) == []
    assert heard.spans[0] == Span(1, 1.0, 2.0)


# Drafts that are kept for a moment.


async def test_a_draft_kept_while_the_user_goes_on_is_not_paid_for_twice():
    agent = ScriptedAgent(thinking_s=0.5)
    heard = await play(
        (1.0, EagerEndOfTurn(0, "book")),
        (1.2, TurnResumed(0)),
        (1.8, EagerEndOfTurn(0, "book")),
        (2.0, EndOfTurn(0, "book")),
        agent=agent,
        settings=Settings.model_construct(hold_s=1.0),
    )
    assert len(agent.turns) == 1
    assert heard.first_sound_at == 2.0


async def test_a_kept_draft_expires():
    agent = ScriptedAgent(thinking_s=0.5)
    heard = await play(
        (1.0, EagerEndOfTurn(0, "book")),
        (1.2, TurnResumed(0)),
        (2.4, EndOfTurn(0, "book")),
        agent=agent,
        settings=Settings.model_construct(hold_s=1.0),
    )
    assert heard.items(CancelReply) == [(2.2, CancelReply(1, "expired"))]
    assert heard.first_sound_at == 2.9


# What the agent says unasked.


class Announcer(ScriptedAgent):
    """Keeps the session, to speak with."""

    async def on_start(self, session):
        self.session = session


async def test_what_the_agent_says_unasked_waits_until_nobody_has_the_floor():
    class Reminder(Announcer):
        async def on_start(self, session):
            await anyio.sleep(1.5)
            session.say("By the way.")

    heard = await play((1.0, StartOfTurn(0)), (2.0, EndOfTurn(0, "hi")), agent=Reminder())
    assert [entry.text for entry in heard.history] == ["hi", "You said: hi", "By the way."]


async def test_what_may_not_be_interrupted_is_heard_to_its_end_and_the_user_answered_then():
    class Legal(Announcer):
        async def on_start(self, session):
            session.say("This call is recorded, by law.", interruptible=False)

    heard = await play((0.5, StartOfTurn(0)), (1.0, EndOfTurn(0, "hi")), agent=Legal())
    assert heard.spans == [Span(1, 0.0, 1.46), Span(2, 1.46, 2.02)]
    assert heard.outcomes == {0: "answered"}
    assert breaches(heard) == []


async def test_the_agent_may_stop_itself():
    class Shy(Announcer):
        async def reply(self, turn):
            yield "One two three four five six seven eight nine ten. "
            await anyio.sleep(1.0)
            self.session.interrupt("enough")

    heard = await play((1.0, EndOfTurn(0, "hi")), agent=Shy())
    assert heard.spans == [Span(1, 1.0, 2.0)]
    assert heard.items(CloseTurn)[0][1] == CloseTurn(0, "interrupted", "enough")


async def test_a_long_silence_is_the_agents_to_break():
    class Patient(Announcer):
        async def on_idle(self, session):
            return "Are you there?"

    settings = Settings.model_construct(idle_s=5.0)
    heard = await play(
        (1.0, EndOfTurn(0, "hi")), agent=Patient(), settings=settings, hang_up_at=8.0
    )
    assert heard.spans[1].start == 6.56


async def test_a_key_pressed_is_the_agents_to_answer():
    class Keys(Announcer):
        async def on_digit(self, session, digit):
            return f"You pressed {digit}."

    transport = MemoryTransport()
    session = Session(
        Keys(),
        source=ScriptedSource([]),
        voice=ExactVoice(),
        transport=transport,
        settings=Settings.model_construct(),
    )
    await transport.feed(DigitPressed("5"))
    await run_until(session, transport, 9.0)
    assert session.history == (Message("agent", "You pressed 5."),)


# Control of the source.


def session_with(agent, script, **settings):
    source, transport = ScriptedSource(script), MemoryTransport()
    session = Session(
        agent,
        source=source,
        voice=ExactVoice(),
        transport=transport,
        settings=Settings.model_construct(**settings),
    )
    return session, source, transport


async def test_the_next_turn_alone_is_listened_to_with_patience():
    class Dictation(Agent):
        async def reply(self, turn):
            if turn.index == 0:
                turn.expect()
            yield "Your number?"

    script = [
        (1.0, EagerEndOfTurn(0, "hi")),
        (1.5, EndOfTurn(0, "hi")),
        (9.0, EndOfTurn(1, "one two")),
        (15.0, EndOfTurn(2, "bye")),
    ]
    session, source, transport = session_with(Dictation(), script, eager_eot_threshold=0.4)
    await run_until(session, transport, 20.0)
    usual = Change(eager_eot_threshold=0.4, eot_threshold=0.7, eot_timeout_ms=5000)
    assert source.changes == [(1.5, DICTATION), (9.0, usual)]


async def test_a_guess_changes_nothing_about_the_listening():
    class Dictation(Agent):
        async def reply(self, turn):
            turn.expect()
            yield "Your number?"

    script = [(1.0, EagerEndOfTurn(0, "hi")), (1.5, TurnResumed(0))]
    session, source, transport = session_with(Dictation(), script)
    await run_until(session, transport, 9.0)
    assert source.changes == []


async def test_the_caller_may_say_that_they_are_done():
    session, source, transport = session_with(ScriptedAgent(), [])
    await transport.feed(EndTurnRequested())
    await run_until(session, transport, 1.0)
    assert source.ended == 1


class Listing(ScriptedAgent):
    """Keeps the keys of each turn."""

    def __init__(self):
        super().__init__()
        self.digits = []

    async def reply(self, turn):
        self.digits.append(turn.digits)
        async for piece in super().reply(turn):
            yield piece


async def test_keys_feed_the_turn_that_is_final_next_and_a_hash_ends_it():
    agent = Listing()
    script = [(1.0, StartOfTurn(0)), (2.0, EndOfTurn(0, "hi")), (9.0, EndOfTurn(1, "bye"))]
    session, source, transport = session_with(agent, script)
    for digit in "12#":
        await transport.feed(DigitPressed(digit))
    await run_until(session, transport, 15.0)
    assert agent.digits == ["12", ""]
    assert source.ended == 1


async def test_what_a_call_came_to_is_logged():
    session, _, transport = session_with(
        ScriptedAgent(), [(1.0, EndOfTurn(0, "hi"))], price_per_million_characters=1e6
    )
    with capture_logs() as logs:
        await run_until(session, transport, 9.0)
    (account,) = [line for line in logs if line["event"] == "call.account"]
    assert account["outcomes"] == {"answered": 1}
    assert account["cost"] == account["characters"] == len("You said:hi")


class ShortcutTransport(MemoryTransport):
    """A transport that passes on what comes from outside of any task, as a socket does."""

    def pass_to(self, take):
        self.take = take


class Listening(Agent):
    """Remembers which call its caller's keys belong to."""

    async def on_digit(self, session, digit):
        self.call = structlog.contextvars.get_contextvars().get("call")


async def test_what_a_transport_passes_on_belongs_to_the_call():
    agent, transport = Listening(), ShortcutTransport()
    session = Session(
        agent,
        source=ScriptedSource([]),
        voice=ExactVoice(),
        transport=transport,
        settings=Settings.model_construct(),
    )
    async with anyio.create_task_group() as tasks:
        with structlog.contextvars.bound_contextvars(call="c0ffee"):
            tasks.start_soon(run_until, session, transport, 2.0)
        await anyio.sleep(1)
        transport.take(DigitPressed("5"))
    assert agent.call == "c0ffee"

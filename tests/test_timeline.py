"""Notes in, lines for people out."""

from turnkit.timeline import Timeline


def answer(turn, *, drafted):
    return {"name": "Answer", "fields": {"turn": turn, "transcript": "a", "drafted": drafted}}


def read(*notes):
    timeline = Timeline()
    for at, name, fields in notes:
        timeline.read(at, name, fields)
    return timeline


def test_a_draft_that_is_kept_reads_as_one():
    timeline = read(
        (1.0, "EagerEndOfTurn", {"turn": 0, "transcript": "hi"}),
        (1.0, "StartReply", {"reply": 1, "purpose": answer(0, drafted=True)}),
        (2.0, "EndOfTurn", {"turn": 0, "transcript": "hi", "trigger": "model"}),
        (2.0, "ReleaseReply", {"reply": 1}),
        (2.01, "PlayoutStarted", {"reply": 1}),
    )
    assert [str(line) for line in timeline.lines] == [
        '   1.000  user   EagerEndOfTurn 0  "hi"',
        "   1.000  draft  draft started (1), inaudible",
        '   2.000  user   EndOfTurn 0 (model)  "hi"',
        "   2.000  agent  draft released (1)",
        "   2.010  agent  first sound (1), 10 ms after EndOfTurn",
    ]
    assert timeline.answered
    assert "median 10.0 ms" in timeline.summary()


def test_a_call_is_busy_while_a_turn_is_open_or_a_reply_under_way():
    timeline = read((1.0, "StartOfTurn", {"turn": 0, "transcript": "hi"}))
    assert timeline.busy
    timeline.read(2.0, "EndOfTurn", {"turn": 0, "transcript": "hi", "trigger": "model"})
    assert not timeline.busy
    timeline.read(2.0, "StartReply", {"reply": 1, "purpose": answer(0, drafted=False)})
    assert timeline.busy
    timeline.read(3.0, "ReplyHeard", {"reply": 1, "heard": "hello", "unheard": ""})
    assert not timeline.busy


def test_barge_ins_and_dropped_drafts_are_counted():
    timeline = read(
        (1.0, "StartReply", {"reply": 1, "purpose": answer(0, drafted=True)}),
        (1.1, "CancelReply", {"reply": 1, "reason": "resumed"}),
        (2.0, "StartReply", {"reply": 2, "purpose": answer(0, drafted=False)}),
        (2.1, "CancelReply", {"reply": 2, "reason": "barge_in"}),
    )
    assert timeline.summary().startswith("turns: none; 1 drafts, 1 dropped; 1 barge-ins")
    assert not timeline.answered


def test_what_is_of_no_interest_makes_no_line():
    assert Timeline().read(1.0, "Update", {"turn": 0, "transcript": "hi"}) is None
    assert Timeline().read(1.0, "SomethingNew", {}) is None


def test_long_words_are_cut_for_the_eye():
    line = Timeline().read(1.0, "StartOfTurn", {"turn": 0, "transcript": "word " * 50})
    assert str(line).endswith('..."')

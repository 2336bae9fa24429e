"""History holds what was heard, in order, and nothing else."""

from turnkit.history import History, Message, ToolUse


def test_what_both_said_is_kept_in_order():
    history = History()
    history.user_said(0, "hello")
    history.agent_said(" Hi there. ")
    assert history.entries == (Message("user", "hello"), Message("agent", "Hi there."))


def test_a_turn_is_entered_once():
    history = History()
    history.user_said(0, "hello")
    history.user_said(0, "hello")
    assert len(history.entries) == 1


def test_a_reply_nobody_heard_leaves_no_trace():
    history = History()
    history.agent_said(" ")
    assert history.entries == ()


def test_what_was_handed_out_does_not_change():
    history = History()
    before = history.entries
    history.user_said(0, "hello")
    assert before == ()


def test_a_very_long_conversation_forgets_its_beginning():
    history = History()
    for turn in range(500):
        history.user_said(turn, str(turn))
    assert len(history.entries) == 400
    assert [entry.text for entry in history.entries] == [str(turn) for turn in range(100, 500)]
    history.user_said(500, "500")
    assert len(history.entries) == 301


def test_what_was_done_is_kept_once_however_often_it_is_told():
    history = History()
    use = ToolUse("book", "{}", "true", key="k")
    history.tool_used(use)
    history.tool_used(use)
    assert history.entries == (use,)

"""History holds what was heard, in order, and nothing else."""

from turnkit.history import History, Message


def test_what_both_said_is_kept_in_order():
    history = History()
    history.user_said(0, "hello")
    history.agent_said(" Hi there. ")
    assert history.messages == (Message("user", "hello"), Message("agent", "Hi there."))


def test_a_turn_is_entered_once():
    history = History()
    history.user_said(0, "hello")
    history.user_said(0, "hello")
    assert len(history.messages) == 1


def test_a_reply_nobody_heard_leaves_no_trace():
    history = History()
    history.agent_said(" ")
    assert history.messages == ()


def test_what_was_handed_out_does_not_change():
    history = History()
    before = history.messages
    history.user_said(0, "hello")
    assert before == ()


def test_a_very_long_conversation_forgets_its_beginning():
    history = History()
    for turn in range(500):
        history.user_said(turn, str(turn))
    assert len(history.messages) == 400
    assert history.messages[0].text == "100"

"""Faults as people write them, and what is said of those that are written wrong."""

import pytest

from turnkit.errors import ConfigError
from turnkit.listen.breaches import BREACHES
from turnkit.listen.fault_specs import KINDS, parse_fault
from turnkit.listen.faults import (
    Breach,
    Close,
    Drop,
    Fail,
    Garbage,
    HalfOpen,
    Jitter,
    Late,
    Refuse,
    RefuseConfigure,
    SlowConfigure,
    Stall,
    Twice,
    Unending,
)


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("drop@5s", Drop(audio_s=5.0)),
        ("drop@message=7,connection=0", Drop(0, 7)),
        ("stall:2s@message=7", Stall(None, 7, for_s=2.0)),
        ("stall", Stall()),
        ("1011:p=0.01", Close(code=1011, p=0.01)),
        ("1011@p=0.01", Close(code=1011, p=0.01)),
        ("close:1011/NET-0001@1.5s", Close(code=1011, reason="NET-0001", audio_s=1.5)),
        ("429", Refuse(status=429)),
        ("refuse:429/2@connection=1", Refuse(1, 429, "2")),
        ("error:UNPARSABLE_CLIENT_MESSAGE@message=3", Fail(None, 3, "UNPARSABLE_CLIENT_MESSAGE")),
        ("half-open@EagerEndOfTurn", HalfOpen(event="EagerEndOfTurn")),
        ("late@EndOfTurn#2", Late(event="EndOfTurn", nth=2)),
        ("twice@EndOfTurn,p=0.5", Twice(event="EndOfTurn", p=0.5)),
        ("jitter:250ms", Jitter(up_to_s=0.25)),
        ("slow-configure:3s", SlowConfigure(for_s=3.0)),
        ("configure-failure:p=0.5", RefuseConfigure(p=0.5)),
        ("unending@connection=0", Unending(0)),
        ("garbage @ message=2", Garbage(None, 2)),
        ("changed-end@EndOfTurn#2", Breach(kind="changed-end", event="EndOfTurn", nth=2)),
    ],
)
def test_a_fault_is_read_as_it_is_meant(spec, fault):
    assert parse_fault(spec) == fault


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("", "there is no ''"),
        ("drip@5s", "did you mean 'drop'?"),
        ("drop:5s", "drop takes no argument; put when it strikes behind an @"),
        ("drop@5", "'5' is not when: write 5s, message=7"),
        ("drop@", "'' is not when: write 5s, message=7"),
        ("drop@5s,", "'' is not when"),
        ("drop@message=x", "'message=x' is not message=N"),
        ("drop@p=2", "p=2 is not a probability; write 0 to 1"),
        ("drop@p=nan", "p=nan is not a probability"),
        ("drop@EndOfTurn#0", "'EndOfTurn#0' is not when"),
        ("drop@EndOfturn", "'EndOfturn' is not when"),
        ("stall:2", "'2' is not a time such as 2s, 0.5s or 300ms"),
        ("stall:90000s", "more than a day"),
        ("refuse:200", "'200' is not an HTTP status from 400 to 599"),
        ("refuse:429/soon", "'soon' is not a Retry-After in whole seconds"),
        ("1006", "'1006' is not a close code a server may send"),
        ("close:1011/" + "x" * 124, "at most 123 bytes"),
        ("429@5s", "it concerns a whole connection; only connection=N and p=0.5 fit"),
        ("second-end@StartOfTurn", "it can only be at EndOfTurn, not StartOfTurn"),
    ],
)
def test_a_fault_that_cannot_be_is_explained(spec, said):
    with pytest.raises(ConfigError) as caught:
        parse_fault(spec)
    assert str(caught.value).startswith(f"fault {spec!r}: ")
    assert said in str(caught.value)


def test_every_fault_can_be_asked_for_by_its_name_alone():
    asked = {type(parse_fault(name)).__name__ for name in KINDS}
    assert len(asked) == len(KINDS) - len(BREACHES) + 1

"""Packs: what is read from a manifest, and what is said about one that cannot be right."""

import json

import pytest

from benchmarks.turns.manifest import load_pack
from turnkit.errors import ConfigError


def clip(**fields):
    return {"id": "a", "file": "a.wav", "duration_s": 9.0, **fields}


def write(folder, *clips):
    (folder / "manifest.json").write_text(json.dumps({"clips": clips}))
    return folder


TURN = {"start": 1.0, "end": 5.0, "hold_spans": [[2.0, 2.5]], "ipus": [[1.0, 2.0], [2.5, 5.0]]}


def test_a_clip_of_one_voice_is_one_recording(tmp_path):
    pack = write(tmp_path, clip(labels={"turns": [TURN], "segments": [[1.0, 2.0], [2.5, 5.0]]}))
    (found,) = load_pack(pack)
    assert (found.id, found.channel, found.duration_s) == ("a", 0, 9.0)
    assert found.file == tmp_path / "a.wav"
    assert found.turns[0].holds == ((2.0, 2.5),)
    assert found.turns[0].next_speech_s is None
    assert found.speech == ((1.0, 2.0), (2.5, 5.0))


def test_each_channel_is_a_recording_with_its_own_turns_and_ranges(tmp_path):
    labels = {
        "turns": [
            {"speaker": "user", "start": 0.5, "end": 1.0, "next_own_speech": 4.0},
            {"speaker": "agent", "start": 2.0, "end": 3.0},
        ],
        "segments": {"user": [[0.5, 1.0], [4.0, 4.2]], "agent": [[2.0, 3.0]]},
        "unscored": {"user": [[6, 7]]},
        "backchannels": [{"speaker": "agent", "start": 0.7, "end": 0.8}],
    }
    pack = write(tmp_path, clip(channels=2, channel_names=["agent", "user"], labels=labels))
    agent, user = load_pack(pack)
    assert (agent.id, agent.channel, user.id, user.channel) == ("a:agent", 0, "a:user", 1)
    assert [t.span for t in user.turns] == [(0.5, 1.0)]
    assert user.turns[0].next_speech_s == 4.0
    assert user.others == ((2.0, 3.0),)
    assert (user.unscored, agent.unscored) == (((6, 7),), ())
    assert (user.backchannels, agent.backchannels) == ((), ((0.7, 0.8),))


def test_in_a_mixed_channel_the_next_turn_is_the_next_speech(tmp_path):
    turns = [
        {"speaker": "user", "start": 0.5, "end": 1.0},
        {"speaker": "agent", "start": 2.0, "end": 3.0},
    ]
    (found,) = load_pack(write(tmp_path, clip(labels={"turns": turns})))
    assert [t.next_speech_s for t in found.turns] == [2.0, None]


def test_only_clear_and_overlapping_turns_are_scored(tmp_path):
    turns = [
        {"start": n, "end": n + 0.5, "quality": quality}
        for n, quality in enumerate(("clear", "ambiguous", "overlap", "uncertain"))
    ]
    (found,) = load_pack(write(tmp_path, clip(labels={"turns": turns})))
    assert [n for n, _ in found.scored_turns] == [0, 2]


def test_no_segments_is_silence_and_no_label_is_ignorance(tmp_path):
    silent, unknown = load_pack(
        write(tmp_path, clip(labels={"segments": []}), clip(id="b", labels={}))
    )
    assert (silent.speech, unknown.speech) == ((), None)


@pytest.mark.parametrize(
    ("clips", "complaint"),
    [
        ([], "lists no clips"),
        ([{"id": "a"}], "missing required field `file`"),
        ([clip(duration_s="long")], r"Expected `float`, got `str` - at `\$.clips\[0\].duration_s`"),
        ([clip(), clip()], "clip 'a' is listed twice"),
        ([clip(channels=2)], "name each"),
        ([clip(channels=0)], "has 0 channels"),
        ([clip(labels={"turns": [{**TURN, "quality": "fine"}]})], "Invalid enum value 'fine'"),
        ([clip(labels={"turns": [{**TURN, "end": 0.5}]})], "a turn from 1.0 s to 0.5 s"),
        (
            [clip(labels={"turns": [{**TURN, "hold_spans": [[6, 7]]}]})],
            "a span from 6.0 s to 7.0 s in the turn from 1.0 s to 5.0 s",
        ),
        ([clip(labels={"turns": [TURN, {"start": 4, "end": 6}]})], "one turn at a time"),
        (
            [
                clip(
                    channels=2,
                    channel_names=["x", "y"],
                    labels={"turns": [{**TURN, "speaker": "z"}]},
                )
            ],
            "none of its channels",
        ),
    ],
)
def test_a_bad_manifest_is_one_clear_error(tmp_path, clips, complaint):
    with pytest.raises(ConfigError, match=complaint):
        load_pack(write(tmp_path, *clips))


def test_a_missing_manifest_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(ConfigError, match=r"manifest.json cannot be read: No such file"):
        load_pack(tmp_path)


def test_the_shared_pack_holds_what_its_readme_counts(shared):
    recordings = load_pack(shared / "audio")
    turns = [turn for recording in recordings for _, turn in recording.scored_turns]
    holds = [hold.length_s for turn in turns for hold in turn.holds]
    assert len(recordings) == 96  # one of the 95 clips has two channels
    assert len(turns) == 65
    assert sum(length >= 0.5 for length in holds) == 61
    assert sum(length >= 1.0 for length in holds) == 22
    assert sum(recording.speech == () for recording in recordings) == 30
    assert [r.id for r in recordings if r.backchannels] == ["call_auto_repairs_40:agent"]


def test_every_clip_can_be_read(shared):
    recordings = {r.id: r for r in load_pack(shared / "audio")}
    agent, caller = (recordings[f"call_auto_repairs_40:{name}"] for name in ("agent", "caller"))
    assert len(agent.read()) == len(caller.read()) == round(245.38 * 16000)
    assert (agent.read() != caller.read()).any()

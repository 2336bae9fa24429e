"""Batch transcription against a real server on loopback, through the real SDK."""

import json
import sys
import wave

import anyio
import pytest
from pydantic import SecretStr

from turnkit.cli import main
from turnkit.config import Settings
from turnkit.errors import ConfigError, TurnkitError
from turnkit.transcription import (
    FORMATS,
    RETRIES,
    Transcription,
    TranscriptionError,
    check_file,
    transcribe,
)

pytest.importorskip("openai")
pytest.importorskip("python_multipart")

from turnkit.testing.transcription_server import (
    KEY,
    Refusal,
    TranscriptionServer,
)

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

SOON = {"retry-after": "0.01"}


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "call.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16000)
        writer.writeframes(bytes(320_000))
    return path


def settings(server, key=KEY, **more):
    return Settings(
        aigateway_base_url=server.url,
        aigateway_api_key=None if key is None else SecretStr(key),
        **more,
    )


async def asked_of(server, path, **options):
    async with server.serving():
        try:
            return await transcribe(path, settings=settings(server), **options)
        except TurnkitError as exc:  # a task group would wrap it
            error = exc
    raise error


async def refused_by(server, path, **options):
    with pytest.raises(TranscriptionError) as raised:
        await asked_of(server, path, **options)
    return raised.value


async def test_the_words_come_with_language_and_duration(recording):
    said = await asked_of(TranscriptionServer(), recording)
    assert (said.text, said.language, said.duration_s) == ("Hello from AIgateway.", "en", 1.82)


async def test_the_form_is_what_the_gateway_documents(recording):
    server = TranscriptionServer()
    await asked_of(server, recording, format="json", language="en")
    (asked,) = server.asked
    assert asked.form == {"model": "deepgram/flux", "response_format": "json", "language": "en"}
    assert (asked.filename, asked.content_type) == ("call.wav", "audio/wav")
    assert asked.content == recording.read_bytes()
    assert asked.key == f"Bearer {KEY}"


async def test_a_model_may_be_named_and_a_language_left_out(recording):
    server = TranscriptionServer()
    await asked_of(server, recording, model="deepgram/nova-3")
    assert server.asked[0].form == {"model": "deepgram/nova-3", "response_format": "json"}


@pytest.mark.parametrize("format_", FORMATS)
async def test_every_format_comes_as_the_service_sent_it(recording, format_):
    said = await asked_of(TranscriptionServer(), recording, format=format_)
    assert said.format == format_
    assert "Hello from AIgateway." in said.text
    if format_ == "verbose_json":
        assert json.loads(said.body)["segments"][0]["end"] == 1.82
    if format_ == "vtt":
        assert said.body.startswith("WEBVTT\n")


async def test_progress_reaches_the_end_of_the_file(recording):
    seen = []
    await asked_of(TranscriptionServer(), recording, progress=lambda *at: seen.append(at))
    size = recording.stat().st_size
    assert seen[-1] == (size, size)
    assert len(seen) > 3


@pytest.mark.parametrize(
    ("status", "kind", "fault", "advice"),
    [
        (401, "authentication_error", "refused", "set AIGATEWAY_API_KEY"),
        (402, "insufficient_credits", "refused", "out of credit"),
        (404, "not_found", "refused", "check AIGATEWAY_BASE_URL and the name of the model"),
        (413, "too_large", "refused", "the file is too large"),
    ],
)
async def test_a_refusal_is_not_tried_again_and_says_what_to_do(
    recording, status, kind, fault, advice
):
    server = TranscriptionServer(Refusal(status, kind))
    error = await refused_by(server, recording)
    assert (error.status, error.fault) == (status, fault)
    assert f"HTTP {status} ({kind}: asked for)" in str(error)
    assert advice in str(error)
    assert "trying again does not help" in str(error)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind", "fault"),
    [
        (429, "rate_limit_error", "busy"),
        (500, "server_error", "lost"),
        (503, "service_unavailable", "busy"),
    ],
)
async def test_a_passing_failure_is_tried_again_so_often_and_no_more(
    recording, status, kind, fault
):
    server = TranscriptionServer(*[Refusal(status, kind, headers=SOON)] * 10)
    error = await refused_by(server, recording)
    assert (error.status, error.fault) == (status, fault)
    assert "trying again may help" in str(error)
    assert len(server.asked) == 1 + RETRIES


async def test_after_a_passing_failure_the_whole_file_is_sent_again(recording):
    server = TranscriptionServer(Refusal(503, "service_unavailable", headers=SOON))
    said = await asked_of(server, recording)
    assert said.text == server.text
    assert server.asked[0].content == server.asked[1].content == recording.read_bytes()


async def test_a_service_that_says_when_is_asked_then(recording):
    server = TranscriptionServer(Refusal(429, "rate_limit_error", headers={"retry-after": "0.7"}))
    await asked_of(server, recording)
    assert server.asked[1].at - server.asked[0].at >= 0.7


async def test_a_wait_that_is_too_long_is_left_to_the_user(recording):
    server = TranscriptionServer(Refusal(429, "rate_limit_error", headers={"retry-after": "900"}))
    error = await refused_by(server, recording)
    assert error.retry_after_s == 900
    assert "trying again may help after 900 s" in str(error)
    assert len(server.asked) == 1


async def test_the_key_is_in_no_message(recording):
    server = TranscriptionServer()
    async with server.serving():
        with pytest.raises(TranscriptionError) as raised:
            await transcribe(recording, settings=settings(server, key="sk-aig-canary"))
    assert "Bearer [key]" in str(raised.value)
    assert "canary" not in str(raised.value)


async def test_a_server_that_is_not_there_is_named(recording):
    server = TranscriptionServer()
    async with server.serving():
        given = settings(server)
    with pytest.raises(TranscriptionError, match=r"127\.0\.0\.1 cannot be reached") as raised:
        await transcribe(recording, settings=given)
    assert raised.value.fault == "lost"


async def test_an_answer_that_takes_too_long_is_given_up(recording):
    server = TranscriptionServer()
    server.before_answer_s = 30.0
    async with server.serving():
        given = settings(server, transcribe_timeout_s=0.3)
        with pytest.raises(TranscriptionError) as raised:
            await transcribe(recording, settings=given)
    assert raised.value.fault == "slow"


@pytest.mark.parametrize(
    ("format_", "body"),
    [("json", "<html>"), ("verbose_json", '{"words":[]}'), ("srt", '{"text":""}')],
)
async def test_an_answer_in_another_format_is_nonsense(recording, format_, body):
    server = TranscriptionServer()
    server.body = body
    assert (await refused_by(server, recording, format=format_)).fault == "nonsense"


async def test_text_that_comes_as_json_is_read(recording):
    server = TranscriptionServer()
    server.body = '{"text":"Hello."}'
    said = await asked_of(server, recording, format="text")
    assert said == Transcription("Hello.", server.body, "text")


# What is said before anything is sent.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "docx"}, "format 'docx' is unknown; choose one of text, json"),
        ({"language": "English"}, "language 'English' is no language code; write en"),
    ],
)
async def test_a_wrong_argument_is_an_error_before_anything_is_sent(recording, options, message):
    server = TranscriptionServer()
    with pytest.raises(ConfigError, match=message):
        await asked_of(server, recording, **options)
    assert server.asked == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"aigateway_api_key": None}, "set the variable AIGATEWAY_API_KEY"),
        ({"aigateway_base_url": "api.aigateway.sh"}, "must look like https://host/v1"),
        ({"aigateway_base_url": "http://example.com/v1"}, "must begin with https://"),
        ({"aigateway_base_url": "https://k@example.com"}, "no user, query or fragment"),
    ],
)
async def test_a_wrong_setting_is_an_error_before_anything_is_sent(recording, change, message):
    given = Settings(**{"aigateway_api_key": SecretStr(KEY), **change})
    with pytest.raises(ConfigError, match=message):
        await transcribe(recording, settings=given)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.txt", b"\xff" * 99, "is a .txt file; send one of flac, m4a"),
        ("call", b"\xff" * 99, "is a file without a suffix"),
        ("empty.wav", b"", "is empty"),
        ("page.mp3", b"<!DOCTYPE html><html><head>" * 9, "holds text, no audio"),
        ("long.mp3", b"\xff" * 1_100_000, r"is too large: 1\.1 MB of 1 MB at most"),
    ],
)
def test_a_file_that_cannot_be_sent_is_named(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        check_file(path, max_mb=1)


def test_a_file_that_is_missing_or_a_folder_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.wav cannot be read: No such file"):
        check_file(tmp_path / "gone.wav", max_mb=1)
    with pytest.raises(ConfigError, match="is no file"):
        check_file(tmp_path, max_mb=1)


# The command.


@pytest.fixture
def turnkit(monkeypatch, capsys, tmp_path):
    """Run the command against a server; return its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)

    async def run(server, *arguments, key=KEY):
        def command():
            monkeypatch.setattr(sys, "argv", ["turnkit", "transcribe", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
            return ended.value.code or 0

        async with server.serving():
            monkeypatch.setenv("AIGATEWAY_BASE_URL", server.url)
            monkeypatch.setenv("AIGATEWAY_API_KEY", key)
            code = await anyio.to_thread.run_sync(command)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


async def test_the_command_prints_the_words_and_nothing_else(turnkit, recording):
    code, out, err = await turnkit(TranscriptionServer(), str(recording))
    assert (code, out, err) == (0, "Hello from AIgateway.\n", "")


async def test_the_command_writes_subtitles_to_a_file(turnkit, recording, tmp_path):
    options = ["--format", "srt", "--language", "en", "--model", "m", "--out", "call.srt"]
    server = TranscriptionServer()
    code, out, err = await turnkit(server, str(recording), *options)
    assert (code, out) == (0, "")
    assert "wrote call.srt" in err
    assert (tmp_path / "call.srt").read_text().startswith("1\n00:00:00,000")
    assert server.asked[0].form == {"model": "m", "response_format": "srt", "language": "en"}


async def test_the_command_says_what_went_wrong_in_one_line(turnkit, recording):
    refusal = Refusal(402, "insufficient_credits", "add credit")
    code, out, err = await turnkit(TranscriptionServer(refusal), str(recording))
    assert (code, out) == (1, "")
    assert "failed:" in err
    assert "top it up" in " ".join(err.split())
    assert "Traceback" not in err


async def test_a_place_that_cannot_be_written_to_is_an_error_before_anything_is_sent(
    turnkit, recording
):
    server = TranscriptionServer()
    code, _, err = await turnkit(server, str(recording), "--out", "nowhere/call.txt")
    assert code == 2
    assert "there is no folder nowhere" in " ".join(err.split())
    assert server.asked == []


async def test_a_result_that_cannot_be_written_is_printed(turnkit, recording, tmp_path):
    (tmp_path / "taken").mkdir()
    code, out, _ = await turnkit(TranscriptionServer(), str(recording), "--out", "taken")
    assert (code, out) == (2, "Hello from AIgateway.\n")

"""The pytest plug-in, as people who test other frameworks with it see it."""

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.network

QUERY = "?model=flux-general-en&encoding=linear16&sample_rate=16000&eager_eot_threshold=0.5"


@pytest.fixture
def run(pytester):
    """Run a test file of somebody else's."""

    def ran(source: str):
        pytester.makepyfile(source)
        options = ("-p", "turnkit_pytest", "-p", "no:cacheprovider", "-q")
        return pytester.runpytest_subprocess(*options, timeout=100)

    return ran


def test_a_plain_websocket_client_gets_a_script_and_the_test_sees_what_it_sent(run):
    result = run(f"""
        import json
        from websockets.sync.client import connect

        def test_my_bot(flux_server, capsys):
            flux = flux_server(says=["a table [0.8] for four"])
            with connect(flux.url + "{QUERY}") as ws:
                ws.send(bytes(5 * 32000))
                ws.send('{{"type":"CloseStream"}}')
                events = [json.loads(m).get("event") for m in ws]
            assert [e for e in events if e not in (None, "Update")] == [
                "StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn", "EndOfTurn"]
            (visit,) = flux.received
            assert visit.over.wait(30)
            assert visit.audio_bytes == 5 * 32000
            assert visit.parameters.eager_eot_threshold == 0.5
            assert visit.events[-1] == ("EndOfTurn", "a table for four")
            assert capsys.readouterr().out == ""
    """)
    result.assert_outcomes(passed=1)


def test_deepgrams_own_client_meets_faults_and_two_servers_at_once(run):
    result = run("""
        import asyncio
        from deepgram import AsyncDeepgramClient
        from deepgram.environment import DeepgramClientEnvironment

        async def listen(flux):
            there = DeepgramClientEnvironment(
                base="", production=flux.base_url, agent="", agent_rest="")
            client = AsyncDeepgramClient(api_key="any", environment=there)
            asked = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": 16000}
            async with client.listen.v2.connect(**asked) as connection:
                await connection.send_media(bytes(3 * 32000))
                await connection.send_close_stream()
                return [message async for message in connection]

        def test_my_bot(flux_server):
            whole = flux_server(says=["yes"])
            broken = flux_server(says=["yes"], faults=["1011@1s"])
            assert asyncio.run(listen(whole))[-1].audio_window_end == 2.8
            try:
                asyncio.run(listen(broken))
            except Exception as exc:
                assert "1011" in str(exc)
            assert len(whole.received) == len(broken.received) == 1
            assert broken.received[0].ended == "a fault that was asked for"
    """)
    result.assert_outcomes(passed=1)


def test_a_mistake_is_explained(run):
    result = run("""
        def test_fault(flux_server):
            flux_server(faults=["drip"])

        def test_says(flux_server):
            flux_server(says="one string")

        def test_both(flux_server):
            flux_server(says=["a"], script="b")
    """)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines_random(
        ["*did you mean 'drop'?*", "*write says=*", "*plays one of says, script and*"]
    )


def test_who_does_not_use_it_imports_nothing_of_turnkit():
    code = "import sys, turnkit_pytest; print([m for m in sys.modules if m.startswith('turnkit')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "['turnkit_pytest']\n"

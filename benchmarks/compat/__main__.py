"""Run the clients, one after the other; see the package's docstring."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.compat.clip import EVENTS, Clip, find_clip
from benchmarks.compat.environments import Needs, Unavailable
from turnkit.listen.visits import Visit
from turnkit.testing.threaded import flux_in_thread

_CLIENTS = Path(__file__).parent / "clients"
_RUN_S = 60  # beyond the length of the recording
_LIVEKIT = {
    "start_of_speech": "StartOfTurn",
    "preflight_transcript": "EagerEndOfTurn",
    "final_transcript": "EndOfTurn",
}
"""LiveKit's words. It has none for TurnResumed: its users see that the words go on."""

_SHORT = {
    "StartOfTurn": "start",
    "EagerEndOfTurn": "eager",
    "TurnResumed": "resumed",
    "EndOfTurn": "end",
}


@dataclass(frozen=True, slots=True)
class Client:
    """One program of others."""

    name: str
    script: str
    needs: Needs


CLIENTS = [
    Client("deepgram-sdk", "deepgram_sdk.py", Needs("pip", ["deepgram-sdk==7.17.0"])),
    Client("@deepgram/sdk", "deepgram_sdk.mjs", Needs("npm", ["@deepgram/sdk@5.13.0"])),
    Client("pipecat", "pipecat_flux.py", Needs("pip", ["pipecat-ai[deepgram]==1.14.0"])),
    Client(
        "livekit",
        "livekit_stt.py",
        Needs("pip", ["livekit-agents==1.8.9", "livekit-plugins-deepgram==1.8.9"]),
    ),
]


@dataclass(slots=True)
class Outcome:
    """What came of one client."""

    client: Client
    reported: list[tuple[str, str]] = field(default_factory=list)
    """The events it reported, in its own words, with their texts."""
    visit: Visit | None = None
    trouble: str = ""

    @property
    def is_right(self) -> bool:
        """Whether the client told its user what it was told."""
        return not self.trouble and self.turns == self.told == EVENTS

    @property
    def turns(self) -> list[str]:
        """What it reported, in Flux's words."""
        if self.client.name == "livekit":
            return _in_flux_words(self.reported)
        return [event for event, _ in self.reported if event in EVENTS]

    @property
    def told(self) -> list[str]:
        """What the server told it."""
        return [event for event, _ in self.visit.events] if self.visit else []

    @property
    def texts_agree(self) -> bool:
        """Whether the final words are those that the server sent."""
        ends = [text for event, text in self.reported if event in {"EndOfTurn", "final_transcript"}]
        return self.visit is not None and ends == [self.visit.events[-1][1]]


def main() -> int:
    """Run those that were asked for, and print the table."""
    names = [client.name for client in CLIENTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compat", description=__doc__)
    parser.add_argument("clients", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    wanted = parser.parse_args().clients or names
    if unknown := set(wanted) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    console = Console(highlight=False)
    try:
        clip = find_clip()
    except FileNotFoundError as exc:
        console.print(f"[red]{exc}[/]")
        return 2
    console.print(
        f"{clip.name}, {clip.seconds:.1f} s with its silence, "
        f"eager_eot_threshold {clip.eager}, eot_threshold {clip.eot}"
    )
    outcomes = [_run(client, clip, console) for client in CLIENTS if client.name in wanted]
    _print(outcomes, console)
    return 0 if all(outcome.is_right and outcome.texts_agree for outcome in outcomes) else 1


def _run(client: Client, clip: Clip, console: Console) -> Outcome:
    outcome = Outcome(client)
    made = "" if client.needs.is_there else " (making its environment first, once)"
    console.print(f"{client.name}{made} ...")
    try:
        command = client.needs.command(_CLIENTS / client.script)
    except (Unavailable, subprocess.TimeoutExpired) as exc:
        outcome.trouble = str(exc)
        return outcome
    with flux_in_thread() as flux, tempfile.NamedTemporaryFile(suffix=".pcm") as file:
        file.write(clip.audio)
        file.flush()
        asked = [flux.base_url, file.name, str(clip.eager), str(clip.eot)]
        _follow([*command, *asked], outcome, clip.seconds + _RUN_S, console)
        if len(flux.received) == 1:
            (outcome.visit,) = flux.received
            outcome.visit.over.wait(5)
        else:
            outcome.trouble += f" {len(flux.received)} connections"
    return outcome


def _follow(command: list[str], outcome: Outcome, limit_s: float, console: Console) -> None:
    """Run the client, and print what it reports as it does."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            out, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            outcome.trouble = f"not done after {limit_s:.0f} s"
        errors.seek(0)
        said = errors.read()
    if process.returncode:
        outcome.trouble = outcome.trouble or f"exit code {process.returncode}: {said[-800:]}"
    for line in out.splitlines():
        if line.startswith("{"):
            event = json.loads(line)
            outcome.reported.append((event["event"], event["text"]))
    for (event, text), again in groupby(outcome.reported):
        console.print(f"    {event:22} {len(list(again)):3}x  {text}", style="dim", markup=False)


def _in_flux_words(reported: Sequence[tuple[str, str]]) -> list[str]:
    turns: list[str] = []
    announced = ""
    for event, text in reported:
        if event in _LIVEKIT:
            turns.append(_LIVEKIT[event])
            announced = text
        elif event == "interim_transcript" and turns[-1:] == ["EagerEndOfTurn"]:
            turns += ["TurnResumed"] if text != announced else []
    return turns


def _print(outcomes: list[Outcome], console: Console) -> None:
    table = Table("client", "told", "turn events reported", "final words", "")
    for outcome in outcomes:
        table.add_row(
            Text("\n".join(outcome.client.needs.packages)),
            str(len(outcome.visit.told)) if outcome.visit else "-",
            " ".join(_SHORT[event] for event in outcome.turns) or "-",
            "as sent" if outcome.texts_agree else "other",
            "[green]right[/]" if outcome.is_right else f"[red]wrong[/] {outcome.trouble}",
        )
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())

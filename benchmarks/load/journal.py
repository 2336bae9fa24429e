"""Where the providers write down what happens."""

from time import monotonic

from benchmarks.load.records import Event


class Journal:
    """Notes events with the time, in memory: a write would be measured."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._links: dict[str, int] = {}

    def open(self, service: str) -> int:
        """Note a new connection; return its number."""
        link = self._links[service] = self._links.get(service, -1) + 1
        self.note(f"{service}.open", link)
        return link

    def note(self, kind: str, link: int, call: int = -1, turn: int = -1, note: str = "") -> None:
        """Note an event that happens now."""
        self.events.append(Event(monotonic(), kind, link, call, turn, note))

    def take(self) -> list[Event]:
        """Return what was noted, and begin anew; the numbers of connections go on."""
        events, self.events = self.events, []
        return events

"""When to try which route again, and when to give up. Pure: instants and chance come in."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Chance: TypeAlias = Callable[[], float]
"""Returns a number from 0 to 1, as `random.random` does."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How stubborn a source is."""

    delays_s: tuple[float, ...] = (0.0, 0.2, 0.5, 1.0, 2.0)
    """Before each new round of tries; the last holds for all further ones."""
    jitter: float = 0.2
    """How far a delay may be off, either way, so that the calls of a server do not come at once."""
    start_s: float = 8.0
    """How long a call may take to get its first connection."""
    outage_s: float = 12.0
    """How long it may be without one later: a pause of ten seconds, and time for the last try."""
    deaths: int = 5
    deaths_within_s: float = 30.0
    """So many connections lost in such a time are no accident."""


class Retries:
    """Follows the tries of one call, over one route or several.

    Whatever goes wrong with a route, the next one is asked, at once; when all have been asked, a
    new round begins, after a longer delay than the one before.
    """

    def __init__(self, policy: RetryPolicy, routes: int, now: float) -> None:
        self.failures = 0
        """How often it failed since there was a connection; the loss of that one counts."""
        self.deadline = now + policy.start_s
        """When a call that has no connection is to give up."""
        self._policy = policy
        self._routes = list(range(routes))
        self._connected = False
        self._not_before: dict[int, float] = {}
        self._deaths: deque[float] = deque(maxlen=policy.deaths)

    @property
    def route(self) -> int:
        """Which route's turn it is."""
        return self._routes[0]

    @property
    def flapping(self) -> bool:
        """Whether connections come and go so often that another would not last."""
        deaths, policy = self._deaths, self._policy
        return len(deaths) == policy.deaths and deaths[-1] - deaths[0] <= policy.deaths_within_s

    def connected(self) -> None:
        """Take note that this route has a connection."""
        self.failures = 0
        self._connected = True

    def lost(self, now: float, chance: Chance, retry_after_s: float = 0.0) -> float | None:
        """Return how long to wait after a try that failed or a connection that broke.

        None means: give up.

        Args:
            now: the instant.
            chance: for the jitter.
            retry_after_s: how long the route itself wants to be left alone.
        """
        if self._connected:
            self._deaths.append(now)
        self._begin_outage(now)
        if self.flapping:
            return None
        self._not_before[self.route] = now + retry_after_s
        self._routes.append(self._routes.pop(0))
        return self._next_try(now, chance)

    def refused(self, now: float, chance: Chance) -> float | None:
        """Strike off a route that said no for good; return the wait, or None if none is left."""
        self._begin_outage(now)
        self._routes.pop(0)
        return self._next_try(now, chance) if self._routes else None

    def _begin_outage(self, now: float) -> None:
        if self._connected:
            self._connected = False
            self.deadline = now + self._policy.outage_s
        self.failures += 1

    def _next_try(self, now: float, chance: Chance) -> float | None:
        earliest = now + self._delay_s() * (1 + self._policy.jitter * (2 * chance() - 1))
        at = [max(earliest, self._not_before.get(route, 0.0)) for route in self._routes]
        first = at.index(min(at))
        if at[first] > self.deadline:
            return None
        self._routes = self._routes[first:] + self._routes[:first]
        return at[first] - now

    def _delay_s(self) -> float:
        rounds, asked = divmod(self.failures, len(self._routes))
        delays_s = self._policy.delays_s
        return 0.0 if asked else delays_s[min(rounds, len(delays_s)) - 1]

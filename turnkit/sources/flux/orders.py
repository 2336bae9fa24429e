"""Changes on their way to a Flux server: one unanswered at a time, later ones put together. Pure.

Each `Configure` carries the whole set, since Flux's documentation leaves open whether a threshold
is checked against the one in force or only against its partner in the same message.
"""

from turnkit.errors import TurnkitError
from turnkit.sources.base import Change, ConfigureRefused, ConfigureUnsupported
from turnkit.sources.flux_query import ListenParameters, ParameterRefused
from turnkit.sources.flux_wire import Configure, Thresholds, configured

_MULTILINGUAL = "flux-general-multi"


class Orders:
    """Keeps what is in force, what was asked for, and how that ended. Orders have numbers."""

    def __init__(self, parameters: ListenParameters) -> None:
        self.active = parameters
        """What is in force, and what a new connection is opened with."""
        self.settled = 0
        """All orders up to this number have been answered."""
        self._connected = False
        self._unsupported: ConfigureUnsupported | None = None
        self._strikes = 0  # connections a change was the end of, for all we know
        self._asked = 0
        self._waiting: list[Change] = []
        self._sent: list[Change] = []
        self._failures: dict[int, TurnkitError] = {}

    @property
    def unanswered(self) -> bool:
        """Whether a `Configure` was sent that has no answer yet."""
        return bool(self._sent)

    def ask(self, change: Change) -> int:
        """Take an order; return its number. Raises ConfigureRefused if Flux would refuse it."""
        wanted = _changed(_all(self.active, [*self._sent, *self._waiting]), change)
        if self._unsupported is not None and wanted != self.active:
            raise ConfigureUnsupported(self._unsupported.host)
        self._asked += 1
        if self._connected and self._unsupported is None:
            self._waiting.append(change)
        else:  # the first connection is opened with it, or it is in force already
            self.active, self.settled = wanted, self._asked
        return self._asked

    def connected(self, unsupported_at: str | None = None) -> None:
        """Begin anew on a connection opened with what is in force: what was sent was lost.

        Args:
            unsupported_at: the server's name, if it is known not to understand changes.
        """
        self._connected = True
        self._sent, self._waiting = [], [*self._sent, *self._waiting]
        self._unsupported = None
        if unsupported_at is not None:
            self._unsupported = ConfigureUnsupported(unsupported_at)
            self.abandon(self._unsupported)

    def broke_off(self) -> bool:
        """Take note that a server hung up on a change, saying nothing; return whether once more.

        Once is an accident.
        """
        self._strikes += 1
        return self._strikes > 1

    def next(self) -> Configure | None:
        """Return what to send now, if anything."""
        if self._sent or not self._waiting:
            return None
        self._sent, self._waiting = self._waiting, []
        said = any(change.numerals is not None for change in self._sent)
        return _message(_all(self.active, self._sent), with_numerals=said)

    def succeeded(self) -> None:
        """Take note that what was sent is in force."""
        self._strikes = 0
        self.active = _all(self.active, self._sent)
        self._settle(None)

    def failed(self, failure: TurnkitError) -> None:
        """Take note that what was sent is not in force, and never will be."""
        self._settle(failure)
        try:
            _all(self.active, self._waiting)
        except ConfigureRefused as exc:  # what waits made sense only together with what failed
            self.abandon(exc)

    def abandon(self, failure: TurnkitError) -> None:
        """Fail all orders that have no answer yet: there will be none."""
        self._sent, self._waiting = [*self._sent, *self._waiting], []
        self._settle(failure)

    def outcome(self, order: int) -> TurnkitError | None:
        """Return, once, why an order failed that is settled; None if it is in force."""
        return self._failures.pop(order, None)

    def _settle(self, failure: TurnkitError | None) -> None:
        first, self.settled = self.settled + 1, self.settled + len(self._sent)
        self._sent = []
        if failure is not None:
            self._failures |= dict.fromkeys(range(first, self.settled + 1), failure)


def order_of(change: Change) -> Configure:
    """Say it in Flux's words; what is None is left out."""
    return Configure(
        thresholds=Thresholds(
            change.eager_eot_threshold, change.eot_threshold, change.eot_timeout_ms
        ),
        keyterms=change.keyterms,
        language_hints=change.language_hints,
        numerals=change.numerals,
    )


def _changed(parameters: ListenParameters, change: Change) -> ListenParameters:
    try:
        return configured(parameters, order_of(change))
    except ParameterRefused as exc:
        raise ConfigureRefused(exc.code, exc.description) from exc


def _all(parameters: ListenParameters, changes: list[Change]) -> ListenParameters:
    for change in changes:
        parameters = _changed(parameters, change)
    return parameters


def _message(wanted: ListenParameters, *, with_numerals: bool) -> Configure:
    return Configure(
        thresholds=Thresholds(
            wanted.eager_eot_threshold, wanted.eot_threshold, wanted.eot_timeout_ms
        ),
        keyterms=wanted.keyterms,
        language_hints=wanted.language_hints if wanted.model == _MULTILINGUAL else None,
        # Unless asked for it is left out: servers before 25 September 2026 would hang up over it.
        numerals=wanted.numerals if with_numerals else None,
    )

"""The judgements the turn machine asks for, gathered where they can be changed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnPolicy:
    """When to speculate, and how long to wait."""

    speculate: bool = True
    max_drafts_per_turn: int = 4
    """An unsteady source may flap between eager end and resume; each flap costs a model call."""

    draft_deadline_s: float = 5.0
    """How long a draft may stay silent after its turn is final, before a fresh attempt."""

    reply_deadline_s: float = 15.0
    """How long any other reply may stay silent, before it counts as failed."""

    max_reply_s: float = 300.0
    """How long a reply may be heard without a pause for the user, before it is cut."""

    def may_draft(self, transcript: str, drafts: int) -> bool:
        """Decide whether a guess about `transcript` is worth a draft, after so many before it."""
        return self.speculate and bool(transcript.strip()) and drafts < self.max_drafts_per_turn

    def same_words(self, drafted: str, final: str) -> bool:
        """Decide whether a draft for one transcript answers another.

        Flux promises that they are equal, but a forced end can break it: only equality counts.
        """
        return drafted == final

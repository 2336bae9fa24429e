"""What the settings say about turn-taking, in the turn machine's own terms."""

from turnkit.config import Settings
from turnkit.turn.budget import Limits
from turnkit.turn.policy import BargeIn, TurnPolicy


def policy_of(settings: Settings) -> TurnPolicy:
    """Return the turn machine's part of the settings."""
    return TurnPolicy(
        speculate=settings.speculate != "off",
        max_drafts_per_turn=settings.max_drafts_per_turn,
        match=settings.match,
        draft_age_s=settings.draft_age_s,
        hold_s=settings.hold_s,
        draft_deadline_s=settings.draft_deadline_s,
        reply_deadline_s=settings.reply_deadline_s,
        max_reply_s=settings.max_reply_s,
        idle_s=settings.idle_s,
        barge_in=BargeIn(settings.barge_in, settings.barge_in_words, settings.barge_in_decide_s),
    )


def limits_of(settings: Settings) -> Limits:
    """Return what the settings let speculation cost."""
    return Limits(
        drafts_per_minute=settings.drafts_per_minute,
        drafts_per_call=settings.drafts_per_call,
        tokens_per_minute=settings.draft_tokens_per_minute,
        tokens_per_call=settings.draft_tokens_per_call,
        characters_per_minute=settings.draft_characters_per_minute,
        characters_per_call=settings.draft_characters_per_call,
        min_hit_rate=settings.min_hit_rate,
    )

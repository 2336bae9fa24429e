"""The front desk of a restaurant: it needs no model, only a few words from the recognizer."""

import re
from collections.abc import AsyncGenerator

from turnkit import Agent, Conversation, Turn

NUMBERS = r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
DAYS = r"today|tonight|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
SOUNDS_LIKE = {"for": "four", "far": "four", "to": "two", "too": "two", "ate": "eight"}
ANSWERS = {
    r"open|hours|close": "We are open every day from noon until eleven at night.",
    r"where|address|find": "You find us at twelve Harbour Street, by the old bridge.",
    r"menu|eat|vegetarian|food": "We cook fish and vegetables, whatever came in this morning.",
    r"bye|thank": "Thank you for calling. Goodbye!",
}


class FrontDesk(Agent):
    """Takes a booking: for how many, and when."""

    def __init__(self) -> None:
        self.people: str | None = None
        self.day: str | None = None

    async def on_start(self, session: Conversation) -> str:  # noqa: ARG002
        """Greet."""
        return "The Blue Door, good day. Would you like to book a table?"

    async def reply(self, turn: Turn) -> AsyncGenerator[str, None]:
        """Answer a question, or ask for what is missing."""
        words = turn.transcript.lower()
        for pattern, answer in ANSWERS.items():
            if re.search(pattern, words):
                yield answer
                return
        people = self.people or number_in(words)
        day = self.day or last(DAYS, words)
        if people is None:
            yield "Gladly. For how many people?"
        elif day is None:
            yield f"A table for {people}. For which day?"
        else:
            yield f"A table for {people}, {day}, "
            await turn.settled()  # a booking cannot be undone: not on a guess
            yield "is booked. We look forward to seeing you."
        await turn.settled()
        self.people, self.day = people, day


def last(pattern: str, words: str) -> str | None:
    """Return the last match, for people correct themselves: "four, no, five"."""
    return next(reversed(re.findall(rf"\b(?:{pattern})\b", words)), None)


def number_in(words: str) -> str | None:
    """Return the number said; one that sounds like a common word counts at the end, or doubled."""
    alike = "|".join(SOUNDS_LIKE)
    meant = re.search(rf"\b({alike})(?= people|[.,?!]?$| (?:{alike})\b)", words)
    return last(NUMBERS, words) or (SOUNDS_LIKE[meant[1]] if meant else None)

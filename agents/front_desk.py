"""The front desk of a restaurant: asks and answers from rules, so that it needs no model.

It listens for a few words rather than for sentences, which is what an offline recognizer gives.
"""

import re
from collections.abc import AsyncGenerator

from turnkit import Agent, Session, Turn

NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()
DAYS = "today tonight tomorrow monday tuesday wednesday thursday friday saturday sunday".split()
MEANT = {"for": "four", "to": "two", "too": "two", "ate": "eight", "won": "one"}
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

    async def on_start(self, session: Session) -> str:  # noqa: ARG002
        """Greet."""
        return "The Blue Door, good day. Would you like to book a table?"

    async def reply(self, turn: Turn) -> AsyncGenerator[str, None]:
        """Answer a question, or ask for what is missing."""
        words = re.findall(r"[a-z]+", turn.transcript.lower())
        for pattern, answer in ANSWERS.items():
            if re.search(pattern, turn.transcript.lower()):
                yield answer
                return
        people = self.people or number_in(words)
        day = self.day or next((word for word in words if word in DAYS), None)
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


def number_in(words: list[str]) -> str | None:
    """Return the last number among the words; "for" is one where it ends the turn or a clause."""
    heard = [MEANT.get(word, word) if word == words[-1] else word for word in words]
    return next((word for word in reversed(heard) if word in NUMBERS), None)

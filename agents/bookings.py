"""Books tables with two tools. A few rules stand in for a model, until TURNKIT_LLM names one."""

import json
import re
from collections.abc import Sequence
from typing import Literal

from turnkit.history import Message, ToolUse
from turnkit.llm.base import ToolCall
from turnkit.llm.scripted import Request, Step
from turnkit.model_agent import ModelAgent
from turnkit.tools import tool

Day = Literal["today", "tonight", "tomorrow", "friday", "saturday", "sunday"]
DAYS = "today|tonight|tomorrow|friday|saturday|sunday"
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
TABLES = {"by the window": 2, "in the corner": 4, "under the tree": 6}


class Bookings(ModelAgent):
    """Looks for a table while the user may still be speaking, and books it when they are not."""

    instructions = "You book tables for a restaurant, by telephone. Be brief. Never make tables up."

    def __init__(self) -> None:
        self.booked: dict[str, tuple[str, str]] = {}

    @tool(effect="pure")
    async def free_tables(self, day: Day, people: int) -> list[str]:
        """List the tables that are free on a day and large enough."""
        taken = [table for table, when in self.booked.values() if when == day]
        return [table for table, seats in TABLES.items() if seats >= people and table not in taken]

    @tool(undo="cancel", while_running="One moment, I am writing it down.")
    async def book(self, table: str, day: Day, *, key: str) -> str:
        """Book a table that is free. Only once the user has said the day and how many they are."""
        self.booked[key] = table, day
        return "booked"

    async def cancel(self, *, key: str) -> None:
        """Take a booking back of which nobody knows whether it was made."""
        self.booked.pop(key, None)

    def offline(self, request: Request) -> Sequence[Step]:
        """Do what a model would: find out what is missing, look, book, and say so."""
        said = " ".join(m.text for m in request.messages if isinstance(m, Message)).lower()
        days = re.findall(rf"\b(?:{DAYS})\b", said)
        numbers = re.findall(rf"\b(?:{'|'.join(NUMBERS)})\b", said)
        if not days or not numbers:
            return [f"Gladly. For {'which day' if numbers else 'how many people'}?"]
        people = NUMBERS.index(numbers[-1]) + 1
        match [use for use in request.messages if isinstance(use, ToolUse)]:
            case []:
                return [ToolCall("free_tables", json.dumps({"day": days[-1], "people": people}))]
            case [ToolUse("free_tables", _, "[]"), *_]:
                return ["I am sorry, we have no table left for so many."]
            case [ToolUse("free_tables", _, found)]:
                table = json.loads(found)[0]
                return [ToolCall("book", json.dumps({"table": table, "day": days[-1]}))]
        return [f"Your table for {numbers[-1]}, {days[-1]}, is booked. Goodbye!"]

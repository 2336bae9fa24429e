"""A hotel's reception, which puts callers through to the kitchen and back."""

import re
from collections.abc import Sequence

from turnkit import Agent
from turnkit.desk import Desk
from turnkit.llm.base import ToolCall
from turnkit.llm.scripted import Request, Step
from turnkit.model_agent import ModelAgent
from turnkit.tools import tool


class _Reception(ModelAgent):
    instructions = "You are a hotel's receptionist. Put orders of food through to the kitchen."

    @tool(effect="pure")
    async def kitchen(self) -> Agent:
        """Put the user through to the kitchen."""
        return _Kitchen()

    def offline(self, request: Request) -> Sequence[Step]:
        if re.search(r"eat|food|hungry|kitchen", request.transcript.lower()):
            return ["I will put you through to the kitchen.", ToolCall("kitchen")]
        return ["Breakfast is from seven to ten. Can I do anything else for you?"]


class _Kitchen(ModelAgent):
    instructions = "You take orders for a hotel's kitchen. Ask for the room's number."

    def __init__(self) -> None:
        self.orders: list[str] = []

    @tool
    async def order(self, dish: str) -> str:
        """Have the kitchen cook something. It cannot be taken back."""
        self.orders.append(dish)
        return "it is being cooked"

    @tool(effect="pure")
    async def reception(self) -> Agent:
        """Put the user through to the reception, for anything but food."""
        return _Reception()

    def offline(self, request: Request) -> Sequence[Step]:
        wanted = re.search(r"(soup|sandwich|omelette|salad)", request.transcript.lower())
        if any(use.name == "order" for use in request.uses):
            return ["It will be with you in twenty minutes."]
        if wanted:
            return [f"One {wanted[1]}.", ToolCall("order", f'{{"dish":"{wanted[1]}"}}')]
        return ["This is the kitchen. We have soup, omelette and salad. What would you like?"]


class Hotel(Desk):
    """Starts with the reception at the desk."""

    def __init__(self) -> None:
        super().__init__(_Reception())

"""Talks through a model: by default a script, with `TURNKIT_LLM=openai` any OpenAI-compatible one.

That takes the extra `turnkit[openai]`, and OPENAI_API_KEY or the OPENAI_BASE_URL of a server of
your own; OPENAI_MODEL chooses the model.
"""

from turnkit.model_agent import ModelAgent


class Chat(ModelAgent):
    """Passes the conversation on, and speaks what comes back as it comes."""

    instructions = "You are on the telephone. Answer in one or two short spoken sentences."

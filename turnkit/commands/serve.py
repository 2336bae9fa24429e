"""`turnkit serve`: an agent, for the browser, for programs and for the telephone."""

from functools import partial
from typing import Any

from turnkit.commands import options
from turnkit.config import Settings


def serve(
    agent: options.AgentArgument = options.DEFAULT_AGENT,
    *,
    source: options.Source = None,
    voice: options.Voice = None,
    llm: options.Model = None,
    host: options.Host = None,
    port: options.Port = None,
    workers: options.Workers = None,
    sets: options.Sets = None,
) -> None:
    """Serve an agent: a page to talk with it, /ws for programs, /twilio for the telephone."""
    settings = options.read_settings(
        sets, source=source, voice=voice, llm=llm, host=host, port=port, workers=workers
    )
    build = partial(_build, agent, settings)
    application = build()  # what is wrong with the agent shows here and now
    if settings.port:  # of a free port, the log says which it is
        place = f"http://{options.shown(settings.host)}:{settings.port}"
        options.console.print(f"Open [bold]{place}[/] and talk to {agent}.")
    options.serve(application, build, settings)


def _build(agent: str, settings: Settings) -> Any:
    from turnkit import plug
    from turnkit.asgi import create_app
    from turnkit.loader import load_agent, try_out

    agent_class = load_agent(agent)
    try_out(agent_class, agent)
    plug.check(settings)
    return create_app(agent_class, settings)

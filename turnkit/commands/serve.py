"""`turnkit serve`: an agent, for the browser, for programs and for the telephone."""

from turnkit.commands import options


def serve(
    agent: options.AgentArgument = options.DEFAULT_AGENT,
    *,
    source: options.Source = None,
    voice: options.Voice = None,
    llm: options.Model = None,
    host: options.Host = None,
    port: options.Port = None,
    sets: options.Sets = None,
) -> None:
    """Serve an agent: a page to talk with it, /ws for programs, /twilio for the telephone."""
    settings = options.read_settings(
        sets, source=source, voice=voice, llm=llm, host=host, port=port
    )

    from turnkit.asgi import create_app
    from turnkit.loader import load_agent
    from turnkit.server import serve as run

    application = create_app(load_agent(agent), settings)
    options.check(settings)
    options.console.print(
        f"Open [bold]http://{options.shown(settings.host)}:{settings.port}[/] and talk to {agent}."
    )
    run(application, settings)

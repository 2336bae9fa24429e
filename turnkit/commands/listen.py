"""`turnkit listen`: the embedded engine as a Flux-compatible server."""

from turnkit.commands import options


def listen(
    *, host: options.Host = None, port: options.Port = None, sets: options.Sets = None
) -> None:
    """Serve the embedded engine alone, as a Flux-compatible WebSocket at /v2/listen."""
    settings = options.read_settings(sets, host=host, port=port)

    from turnkit.listen import create_listen_app
    from turnkit.server import serve as run

    address = f"ws://{options.shown(settings.host)}:{settings.port}/v2/listen"
    options.console.print(f"Point a Flux client at [bold]{address}[/]")
    run(create_listen_app(settings), settings)

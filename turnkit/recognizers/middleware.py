"""How a server offers its recognizers to the calls it takes, and ends them when it ends."""

from anyio import to_thread
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turnkit import plug
from turnkit.config import Settings
from turnkit.recognizers.offer import offering
from turnkit.recognizers.pool import Recognizers, recognizers_of


def offer_recognizers(app: Starlette, settings: Settings) -> None:
    """Let all calls of the application share recognizers, kept as `app.state.recognizers`.

    They start with the first call, unless told to before. Raises ConfigError.
    """
    app.state.recognizers = recognizers_of(plug.open_speech_model(settings), settings)
    app.add_middleware(OfferRecognizers, recognizers=app.state.recognizers)


class OfferRecognizers:
    """ASGI middleware: offers recognizers to every call, and closes them when the server ends."""

    def __init__(self, app: ASGIApp, recognizers: Recognizers) -> None:
        self._app = app
        self._recognizers = recognizers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        if scope["type"] != "lifespan":
            with offering(self._recognizers):
                await self._app(scope, receive, send)
            return

        async def send_when_closed(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                await to_thread.run_sync(self._recognizers.close)
            await send(message)

        await self._app(scope, receive, send_when_closed)

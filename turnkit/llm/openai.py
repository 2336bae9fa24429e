"""Any OpenAI-compatible endpoint, through the official SDK.

`llm=openai` or `llm=openai:MODEL`, such as `openai:gpt-4o-mini` or `openai:llama3.1:8b`; an extra.
OPENAI_API_KEY is the key, OPENAI_BASE_URL a server other than OpenAI's, OPENAI_MODEL the default
model.

The SDK says where the server is and with which headers it is asked. Requests and answers go past it
as bytes (`route`), because its own way costs 0.5 ms more for each request, 24 ms of one core for
turn 100, and 60 us for each token instead of 3 (see `openai_wire`).
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import anyio
import msgspec
import structlog
from pydantic import SecretStr

from turnkit.config import Settings
from turnkit.errors import ConfigError, ModelError
from turnkit.llm.base import Delta, Item, Model, ToolSpec
from turnkit.llm.openai_wire import RequestWriter, StreamReader, failure

if TYPE_CHECKING:
    from turnkit.llm.route import Answer, Route

log = structlog.get_logger(__name__)


class _Error(msgspec.Struct):
    error: msgspec.Raw


_read_error = msgspec.json.Decoder(_Error).decode

_TAIL_S = 0.05
"""How long a finished answer may take to its last byte, which keeps an HTTP/1.1 connection."""
_USAGE_S = 0.5
"""How long after its last word an answer may take to say what it cost."""
_PROBLEM_S = 2.0
_PROBLEM_BYTES = 64 * 1024
"""How long an error may take to tell, and how much of it is read."""
_NOT_A_STREAM = ("text/html", "application/json")


def create(argument: str | None, settings: Settings) -> Model:
    """Return the model named `argument`, or the settings' own. Raises ConfigError."""
    try:
        import openai  # noqa: F401, PLC0415  # an extra, and a third of a second to import

        from turnkit.llm import route  # noqa: F401, PLC0415  # so that no reply waits for it
    except ImportError as exc:
        raise ConfigError(
            "llm openai needs a package: install it with `pip install 'turnkit[openai]'`"
        ) from exc
    key, base_url = settings.openai_api_key, settings.openai_base_url
    if key is None and base_url is None:
        raise ConfigError(
            "llm openai needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL for your own server"
        )
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        raise ConfigError(f"OPENAI_BASE_URL must begin with http:// or https://, not {base_url!r}")
    return OpenAIModel(argument or settings.openai_model, api_key=_read_key(key), base_url=base_url)


async def close() -> None:
    """Close the connections of this process. For the end of a server, and of a test."""
    from turnkit.llm import route  # noqa: PLC0415  # needs an extra

    await route.close()


class OpenAIModel:
    """One model, for one conversation.

    Args:
        model: its name.
        api_key: None for a server that asks for none.
        base_url: None for OpenAI's own.
        options: more fields of the request, such as `{"temperature": 0.3}`.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self._account = api_key, base_url
        self._route: Route | None = None
        self._writer = RequestWriter(model, options or {})
        self._with_usage = True

    async def stream(
        self, messages: Sequence[Item], tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[Delta, None]:
        """Yield the answer as it comes."""
        async with aclosing(await self._ask(messages, tools)) as answer:
            reader = StreamReader()
            _check_kind(answer)
            while not reader.done and (piece := await _next(answer, reader)):
                for delta in reader.feed(piece):
                    yield delta
            await _read_tail(answer)
        for delta in reader.finish():
            yield delta

    async def _ask(self, messages: Sequence[Item], tools: Sequence[ToolSpec]) -> "Answer":
        """Send the request; return the answer once it has begun."""
        body = self._writer.write(messages, tools, with_usage=self._with_usage)
        if self._route is None:
            self._route = _route(*self._account)
        answer = await self._route.send(body)
        if 200 <= answer.status_code < 300:
            return answer
        async with aclosing(answer):
            said = await _read_problem(answer)
        if self._with_usage and answer.status_code in {400, 422} and b"stream_options" in said:
            self._with_usage = False  # an older server, which knows no such field
            return await self._ask(messages, tools)
        log.debug("model.refused", pii_answer=said.decode(errors="replace"))
        raise _failure(answer, said)


def _read_key(key: SecretStr | None) -> str | None:
    """Return the key. Raises ConfigError, without the key."""
    if key is None:
        return None
    secret = key.get_secret_value().strip()
    if not (secret.isascii() and secret.isprintable()):
        raise ConfigError(
            "OPENAI_API_KEY contains characters that no key has, or a line break; copy it again"
        )
    return secret


def _route(api_key: str | None, base_url: str | None) -> "Route":
    from turnkit.llm import route  # noqa: PLC0415  # needs an extra

    return route.route(api_key, base_url)


async def _next(answer: "Answer", reader: StreamReader) -> bytes:
    """Return the next bytes, or none at the end; an answer that is complete is not waited for."""
    if not reader.finish_reason:
        return await answer.read()
    with anyio.move_on_after(_USAGE_S):
        return await answer.read()
    return b""


async def _read_tail(answer: "Answer") -> None:
    """Read what is behind the last word, and not for long: nobody needs it but the connection."""
    if answer.ended:
        return
    with suppress(ModelError), anyio.move_on_after(_TAIL_S):
        while not answer.ended:
            await answer.read()


def _check_kind(answer: "Answer") -> None:
    if (coding := answer.headers.get("content-encoding", "identity")) != "identity":
        raise ModelError(f"the model's server compressed its answer unasked: {coding}", "nonsense")
    kind = answer.headers.get("content-type", "")
    if kind.startswith(_NOT_A_STREAM):
        raise ModelError(
            f"the model's server answered with {kind.partition(';')[0]} instead of a stream; "
            "does OPENAI_BASE_URL end as it should, in /v1?",
            "nonsense",
        )


async def _read_problem(answer: "Answer") -> bytes:
    """Return what the server says of the error, as far as it is of any use."""
    said = b""
    with anyio.move_on_after(_PROBLEM_S):
        while len(said) <= _PROBLEM_BYTES and (piece := await answer.read()):
            said += piece
    try:
        return bytes(_read_error(said).error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return said


def _failure(answer: "Answer", said: bytes) -> ModelError:
    try:
        retry_after_s = float(answer.headers.get("retry-after", ""))
    except ValueError:  # absent, or a date
        retry_after_s = None
    return failure(
        answer.status_code,
        said,
        retry_after_s=retry_after_s,
        request=answer.headers.get("x-request-id", ""),
    )

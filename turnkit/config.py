"""The settings, and the only place that reads the environment and turnkit.toml.

A value comes from the flag, else the environment (`TURNKIT_EOT_THRESHOLD`), else `turnkit.toml`,
else the default. An unknown name is an error that tells the nearest right one.
"""

import difflib
import os
from math import inf
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from turnkit.errors import ConfigError

Speculate: TypeAlias = Literal["off", "llm", "llm+tts"]

FILE = Path("turnkit.toml")
_PREFIX = "TURNKIT_"


class Settings(BaseSettings):
    """Everything that can be set. Ranges of the turn parameters are Flux's own."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        toml_file=FILE,
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    source: str = "local"
    """Who detects turns: a module of turnkit.sources, or a ws:// or wss:// URL."""
    voice: str = "auto"
    """Who speaks: a module of turnkit.tts."""
    llm: str = "scripted"
    """Who thinks, for agents that leave it open: a module of turnkit.llm."""

    aura_url: str = "wss://api.deepgram.com/v1/speak"
    """Where the voice aura is: another region such as `wss://api.eu.deepgram.com`, or a proxy."""

    model: str = "flux-general-en"
    """Which of Flux's models listens: `flux-general-en` or `flux-general-multi`."""
    eager_eot_threshold: float | None = Field(0.5, ge=0.3, le=0.9)
    """How sure Flux is of the end when a draft may start; never above `eot_threshold`."""
    eot_threshold: float = Field(0.7, ge=0.5, le=1.0)
    """How sure Flux is when the turn ends; at 1 only silence ends it."""
    eot_timeout_ms: int = Field(5000, ge=500, le=60000)
    """After so much silence a turn ends, however unsure Flux is."""
    keyterms: tuple[str, ...] = ()
    """Rare words and names to listen for, up to 100, as JSON: `["Kowalczyk"]`."""
    smart_turn: str | None = "auto"
    """Who else judges for the embedded engine whether a pause ends a turn: the onnx file of
    smart-turn v3, or `auto` for the one that an installed `pipecat-ai` carries, if there is one."""
    silero_onnx: str | None = None
    """Silero's onnx file, of version 5 or 6, to be run by onnxruntime (extra `onnx`) instead of the
    one in the extra `local`, which numpy runs as quickly; or `auto` for the one that an installed
    `silero-vad`, `pipecat-ai` or `livekit-plugins-silero` carries. For servers that have both
    anyway or want a certain version; without the extra `local` it is looked for unasked."""
    recognizer: str = "auto"
    """Who hears words for the embedded engine: a module of turnkit.recognizers, and its model."""
    recognizer_workers: int | None = Field(None, ge=0, le=64)
    """How many processes of their own recognizers get in a server process; 0 keeps them in it.
    Unless it is said: half the cores, shared among `workers`, at least one and at most four."""
    recognizer_decoders: int = Field(4, ge=1, le=64)
    """How many people one of them hears at a time with pocketsphinx, at 90 MB each; others wait."""
    grammar: Path | None = None
    """A file in JSGF: pocketsphinx then hears nothing but what it allows."""
    language_hints: tuple[str, ...] = ()
    """For flux-general-multi: which languages to expect, such as `en` or `pt-BR`."""
    profanity_filter: bool = False
    """Whether swear words are masked in transcripts."""
    numerals: bool = False
    """Whether numbers are written in digits."""
    redact: Literal["numbers", "aggressive_numbers"] | None = None
    """Whether numbers are left out of transcripts, and how thoroughly."""
    mip_opt_out: bool = False
    """Whether Deepgram may not use what it hears and says to improve its models."""
    tags: tuple[str, ...] = ()
    """Labels of at most 128 characters, for Deepgram's reports on usage."""

    source_outage_s: float = Field(12.0, gt=0)
    """How long a turn source may be lost in mid-call before the call is given up."""
    catch_up: float = Field(1.25, ge=1.05, le=20)
    """How fast audio that had to wait is sent, in multiples of real time."""

    speculate: Speculate = "llm+tts"
    """How far a draft may go before its turn is final: not at all, words, or words and sound."""
    max_drafts_per_turn: int = Field(4, ge=0)
    """How many drafts a turn may have: replies begun on a guess."""
    drafts_per_minute: float = Field(30, ge=0)
    """How many drafts a call may have in any minute; beyond it, turns are answered when final."""
    drafts_per_call: float = Field(inf, ge=0)
    """How many drafts a whole call may have."""
    draft_tokens_per_minute: float = Field(inf, ge=0)
    """How many of the model's tokens drafts may use in any minute of a call."""
    draft_tokens_per_call: float = Field(inf, ge=0)
    """How many of the model's tokens drafts may use in a whole call."""
    draft_characters_per_minute: float = Field(inf, ge=0)
    """How many characters of drafts may be spoken by the voice in any minute of a call."""
    draft_characters_per_call: float = Field(inf, ge=0)
    """How many characters of drafts may be spoken by the voice in a whole call."""
    min_hit_rate: float = Field(0.2, ge=0, le=1)
    """When fewer of the last ten drafts were heard, speculation pauses for half a minute."""
    price_per_million_tokens: float = Field(0.0, ge=0)
    """What the model costs, in your currency, so that the ledger can tell."""
    price_per_million_characters: float = Field(0.0, ge=0)
    """What the voice costs, likewise."""
    match: Literal["exact", "normalised"] = "exact"
    """When a draft answers the final words: the very same, or the same but for capitals, commas."""
    draft_age_s: float = Field(30.0, gt=0)
    """How long a draft waits for its turn to be final before it is dropped."""
    hold_s: float = Field(0.0, ge=0, le=5)
    """How long a draft is kept when the user goes on, in case they end with the same words."""
    barge_in: Literal["stop", "pause"] = "stop"
    """What a sound of the user's does to a reply: end it, or pause it until words tell."""
    barge_in_words: int = Field(2, ge=1)
    """With `barge_in=pause`: so many words that are no "mm-hm" end the reply."""
    barge_in_decide_s: float = Field(0.8, gt=0, le=5)
    """With `barge_in=pause`: without any words for so long, the reply goes on."""
    barge_in_speech_s: float = Field(0.9, ge=0, le=3)
    """How long the user must speak over the agent before the embedded engine calls it a turn; less
    is an acknowledgement. 0 calls any speech one at once, and leaves it to `barge_in`."""
    idle_s: float = Field(inf, gt=0)
    """How long nobody speaks before the agent's `on_idle` is asked."""
    draft_deadline_s: float = Field(5.0, gt=0)
    """How long a draft may stay silent once its turn is final, before a fresh attempt."""
    reply_deadline_s: float = Field(15.0, gt=0)
    """How long any other reply may stay silent before it counts as failed."""
    max_reply_s: float = Field(300.0, gt=0)
    """How long a reply may be heard before it is cut."""
    max_reply_chars: int = Field(4000, gt=0)
    """The longest a reply may be in characters; what comes after is not spoken."""
    lead_ms: int = Field(200, ge=20, le=2000)
    """How far ahead of the clock audio is sent, so that a late network does not break it up."""
    staged_audio_s: float = Field(30.0, gt=0)
    """How much synthesized audio may wait to be sent before the synthesizer has to."""
    cancel_grace_s: float = Field(2.0, gt=0)
    """How long a cancelled reply may take to end before it is abandoned and counted."""

    first_token_s: float = Field(5.0, gt=0)
    """How long a model may take to its first sign of life."""
    token_stall_s: float = Field(2.0, gt=0)
    """How long it may fall silent in mid-answer."""

    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` for all of this machine's."""
    port: int = Field(8080, ge=0, le=65535)
    """The port to listen on; 0 takes a free one."""
    workers: int = Field(1, ge=1, le=256)
    """How many processes share the port, each with calls of its own: about one a core."""
    max_calls: int = Field(100, ge=1)
    """How many calls may go on at a time, all workers together."""
    drain_s: float = Field(120.0, ge=0)
    """How long calls may go on after SIGTERM."""
    public_url: str | None = None
    """How the outside world reaches this server, for TwiML: `wss://voice.example.com`."""
    origins: tuple[str, ...] = ()
    """Other origins whose pages may connect to /ws; the server's own always may."""
    trace: Path | None = None
    """A folder in which every call is written down, a JSON line for each thing that happened."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From which level on the log is written."""
    log_transcripts: bool = False
    """Whether the log may hold what people say."""

    deepgram_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("deepgram_api_key", "DEEPGRAM_API_KEY")
    )
    """The key of Deepgram, for Flux and for the voice aura."""
    deepgram_access_token: SecretStr | None = Field(
        None, validation_alias=AliasChoices("deepgram_access_token", "DEEPGRAM_ACCESS_TOKEN")
    )
    """A short-lived token that somebody else got, in place of the key."""
    deepgram_auth: Literal["header", "subprotocol"] = "header"
    """Where key or token are shown: some proxies let only the second through."""
    deepgram_grant_s: int = Field(0, ge=0, le=3600)
    """How long tokens got with the key are to live; 0 shows the key itself."""
    deepgram_grant_url: str | None = None
    """Who grants them, if it is not the server they are for."""
    cloudflare_worker_secret: SecretStr | None = None
    """What the Worker of deploy/cloudflare was told to ask for."""
    cloudflare_api_token: SecretStr | None = Field(
        None, validation_alias=AliasChoices("cloudflare_api_token", "CLOUDFLARE_API_TOKEN")
    )
    """For Cloudflare's own addresses: the AI Gateway, and Workers AI without a Worker."""

    aigateway_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("aigateway_api_key", "AIGATEWAY_API_KEY")
    )
    """The key of AIgateway."""
    aigateway_base_url: str = Field(
        "https://api.aigateway.sh/v1",
        validation_alias=AliasChoices("aigateway_base_url", "AIGATEWAY_BASE_URL"),
    )
    """Where AIgateway is, for the source `aigateway` and for `turnkit transcribe`."""
    aigateway_model: str = Field("deepgram/flux", min_length=1)
    """Which of AIgateway's models hears."""
    transcribe_max_mb: float = Field(25.0, gt=0, le=2000)
    """The largest file `turnkit transcribe` sends: OpenAI's own limit; AIgateway states none."""
    transcribe_timeout_s: float = Field(600.0, gt=0)
    """How long a transcription may take, with all its tries."""
    aigateway_start: Literal["speech", "words"] = "speech"
    """What begins a turn: speech, heard here within 0.2 s, or the service's first word of it."""
    aigateway_wait_s: float = Field(1.5, gt=0, le=10)
    """How long the end of a turn waits for words that are late."""
    aigateway_finalize: bool = False
    """Whether to ask for the words at once when somebody pauses (`Finalize`). Deepgram's Nova
    models know it, Flux closes the connection over it, and AIgateway does not document it."""

    openai_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("openai_api_key", "OPENAI_API_KEY")
    )
    """The key of OpenAI, or of a server like it."""
    openai_base_url: str | None = Field(
        None, validation_alias=AliasChoices("openai_base_url", "OPENAI_BASE_URL")
    )
    """Where that server is; OpenAI's own unless it is said."""
    openai_model: str = Field(
        "gpt-4o-mini", validation_alias=AliasChoices("openai_model", "OPENAI_MODEL")
    )
    """Which model `--llm openai` asks, where none is named behind it."""

    @model_validator(mode="after")
    def _eager_not_above_eot(self) -> "Settings":
        eager = self.eager_eot_threshold
        if eager is not None and eager > self.eot_threshold:
            raise ValueError(
                f"eager_eot_threshold {eager} must be less than or equal to "
                f"eot_threshold {self.eot_threshold}"
            )
        return self

    @classmethod
    def settings_customise_sources(  # noqa: D102  # pydantic-settings' signature
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(**flags: Any) -> Settings:
    """Read the settings; flags that are None count as not given. Raises ConfigError."""
    given = {name: value for name, value in flags.items() if value is not None}
    _check_environment()
    try:
        return Settings(**given)
    except ValidationError as exc:
        raise ConfigError("; ".join(_explain(error) for error in exc.errors())) from None
    except ValueError as exc:  # turnkit.toml is not TOML
        raise ConfigError(f"{FILE}: {exc}") from None


def _check_environment() -> None:
    """Refuse misspelt TURNKIT_ variables, which pydantic-settings passes over in silence."""
    for variable in os.environ:
        name = variable.removeprefix(_PREFIX).lower()
        if variable.startswith(_PREFIX) and name not in Settings.model_fields:
            raise ConfigError(f"environment variable {variable}: {_unknown(name)}")


def _explain(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "settings"
    if error["type"] == "extra_forbidden":
        return f"setting {name!r}: {_unknown(name)}"
    message = error["msg"].removeprefix("Value error, ")
    given = "" if error["type"] == "value_error" else f", not {error['input']!r}"
    return f"{name}: {message}{given}"


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=0.5)
    return f"unknown; did you mean {near[0]!r}?" if near else "unknown; see `turnkit settings`"

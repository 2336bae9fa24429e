"""From what a user writes after `--source` to routes, in the order they are to be tried.

    deepgram          deepgram:eu         deepgram-eu          wss://host/v2/listen
    flux:ws://host    cloudflare:wss://host/path

Commas stand between several, which may be of different kinds. A region's name alone is Deepgram's.
"""

from urllib.parse import urlsplit

from turnkit.config import Settings
from turnkit.deepgram import credentials
from turnkit.deepgram.places import HOSTS, host_of
from turnkit.dial import read_url
from turnkit.errors import ConfigError
from turnkit.sources.flux.cloudflare import service_at
from turnkit.sources.flux.route import Route, flux_route
from turnkit.sources.flux.service import PATH

MAX_ROUTES = 8
"""More than anybody needs, and few enough that a round of tries ends."""

_FORMS = (
    "deepgram, deepgram:REGION, cloudflare:URL and a URL like wss://host/v2/listen; "
    f"regions are {', '.join(HOSTS)}"
)


def read_places(text: str, settings: Settings) -> list[Route]:
    """Read one place, or several with commas between them. Raises ConfigError."""
    places = [place.strip() for place in text.split(",")]
    if len(places) > MAX_ROUTES:
        raise ConfigError(f"{len(places)} routes are too many; name at most {MAX_ROUTES}")
    return [_route(place, settings) for place in places]


def _route(place: str, settings: Settings) -> Route:
    if place in HOSTS:
        return _hosted(place, settings)
    if place.startswith("deepgram-"):
        return _hosted(place.removeprefix("deepgram-"), settings)
    kind, _, argument = place.partition(":")
    match kind:
        case "ws" | "wss":
            return flux_route(place, credentials.of_settings(settings))
        case "flux" if argument:
            return flux_route(argument, credentials.of_settings(settings))
        case "deepgram" if "://" in argument:
            return flux_route(argument, credentials.needed(settings, "source deepgram"))
        case "deepgram":
            return _hosted(argument, settings)
        case "cloudflare":
            return _at_cloudflare(argument, settings)
        case _ if "://" in place or not place:
            return flux_route(place, credentials.of_settings(settings))  # which says what it lacks
        case _:
            raise ConfigError(f"there is no route {place!r} to Flux; the forms are {_FORMS}")


def _hosted(region: str, settings: Settings) -> Route:
    url = f"wss://{host_of(region)}{PATH}"
    return flux_route(url, credentials.needed(settings, "source deepgram"))


def _at_cloudflare(address: str, settings: Settings) -> Route:
    """Read an address of Cloudflare's, as it stands in the vendor's pages, query included."""
    if not address:
        raise ConfigError("source cloudflare needs an address: cloudflare:wss://HOST/v2/listen")
    url = read_url(
        _without_parameters(address),
        "the address of source cloudflare",
        PATH,
        advice="turn parameters are settings, and secrets are variables",
    )
    return Route(url, service_at(url, settings))


def _without_parameters(address: str) -> str:
    """Drop the query of a vendor's sample, if it only says what turnkit says itself."""
    ours = {"model", "encoding", "sample_rate"}
    try:
        query = urlsplit(address).query
    except ValueError:
        return address  # whoever reads it says so
    names = {pair.partition("=")[0] for pair in query.split("&")}
    return address.partition("?")[0] if names <= ours else address

"""Which web pages may call: browsers say in `Origin` whose page it is. Programs say nothing. Pure.

A page is allowed if it is our own or named in the settings, compared as a whole: a look-alike
suffix is another host. Where we listen on loopback, our own pages have loopback names, so that a
foreign name that resolves to 127.0.0.1 (DNS rebinding) is not ours.
"""

from urllib.parse import SplitResult, urlsplit

from turnkit.config import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def allowed(origin: str, host: str, settings: Settings) -> bool:
    """Decide about a page of `origin` that connects to us under the name `host`."""
    if origin in settings.origins:
        return True
    page, us = _split(origin), _split(f"//{host}")
    if page is None or us is None or page.scheme not in ("http", "https") or not page.hostname:
        return False
    if settings.public_url and page.netloc == urlsplit(settings.public_url).netloc:
        return True
    if page.hostname in LOOPBACK and us.hostname in LOOPBACK:
        return page.port == us.port
    return page.netloc == us.netloc and settings.host not in LOOPBACK


def advice(origin: str) -> str:
    """Say how to let that page in."""
    return f"pages of {origin} may not connect; add it to the setting origins"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.lower())
        _ = parts.port
    except ValueError:
        return None
    return parts

"""What engine.toml and api.toml of a self-hosted Deepgram mean for Flux. Pure.

As in the `engine.flux-en.toml` and `api.flux.toml` that Deepgram publishes for self-hosting.
"""

import tomllib
from collections.abc import Mapping
from typing import TypeAlias

from turnkit.doctor.finding import Finding, bad, doubtful, good

Table: TypeAlias = Mapping[str, object]

MODELS = ("flux-general-en", "flux-general-multi")
PORT = 8080


def read_toml(text: str, name: str, model: str) -> list[Finding]:
    """Look at one of the two files; which it is, its tables tell.

    Args:
        text: the file's.
        name: the file's, for messages.
        model: which one turnkit will ask for.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        return [bad(f"it is not TOML: {exc}", name, "mend the line it names")]
    if _is_api(tables, name):
        return _of_api(tables, name)
    return _of_engine(tables, name, model)


def _is_api(tables: Table, name: str) -> bool:
    if "flux" in tables:
        return False
    return "driver_pool" in tables or "features" in tables or "api" in name.lower()


def _of_engine(tables: Table, name: str, model: str) -> list[Finding]:
    flux = tables.get("flux")
    if not isinstance(flux, Mapping):
        what = "[flux] is not there, so Flux is not enabled"
        return [bad(what, name, "add [flux] with enabled = true")]
    if flux.get("enabled") is not True:
        said = "is missing" if "enabled" not in flux else f"is {_shown(flux['enabled'])}"
        return [bad(f"[flux] enabled {said}: Flux is off", name, "set [flux] enabled = true")]
    found = [good("[flux] is enabled", name), _of_model(flux, name, model), _of_streams(flux, name)]
    health = tables.get("health")
    required = isinstance(health, Mapping) and health.get("gpu_required") is True
    if not required:
        advice = "set gpu_required = true in [health]: without a GPU it then fails at once"
        found.append(doubtful("[health] gpu_required is not set", name, advice))
    return found


def _of_model(flux: Table, name: str, model: str) -> Finding:
    served = flux.get("model_name", MODELS[0])
    if served not in MODELS:
        advice = f"set it to {' or '.join(MODELS)}"
        return bad(f"[flux] model_name is {_shown(served)}, which is no Flux model", name, advice)
    if served != model:
        advice = f"ask for it with --set model={served}, or set model_name = {model!r}"
        return bad(f"it serves {served}, and turnkit asks for {model}", name, advice)
    return good(f"it serves {served}", name)


def _of_streams(flux: Table, name: str) -> Finding:
    streams = flux.get("max_streams")
    if isinstance(streams, int) and not isinstance(streams, bool) and streams > 0:
        return good(f"at most {streams} streams at a time", name)
    advice = "set [flux] max_streams to what your GPU can carry; all of its memory is taken else"
    said = "is not set" if streams is None else f"is {_shown(streams)}"
    return doubtful(f"[flux] max_streams {said}", name, advice)


def _of_api(tables: Table, name: str) -> list[Finding]:
    features = tables.get("features")
    served = isinstance(features, Mapping) and features.get("listen_v2") is True
    found = [
        good("/v2/listen is served", name)
        if served
        else bad(
            "listen_v2 is off: /v2/listen answers with HTTP 404",
            name,
            "set listen_v2 = true in [features]",
        )
    ]
    pool = tables.get("driver_pool")
    if not (isinstance(pool, Mapping) and any(_engines(kind) for kind in pool.values())):
        advice = 'add [[driver_pool.standard]] with url = "https://ENGINE:8080/v2"'
        found.append(bad("no engine is named in [[driver_pool.standard]]", name, advice))
    server = tables.get("server")
    port = server.get("port", PORT) if isinstance(server, Mapping) else PORT
    found.append(good(f"its address is ws://HOST:{port}/v2/listen", name))
    return found


def _engines(kind: object) -> bool:
    drivers = kind if isinstance(kind, list) else [kind]
    return any(isinstance(driver, Mapping) and driver.get("url") for driver in drivers)


def _shown(value: object) -> str:
    return repr(value)[:64]

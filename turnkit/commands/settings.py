"""`turnkit settings`: what can be set, what is in force, and what it means."""

from typing import Annotated, Any

import typer

from turnkit.commands import options
from turnkit.errors import ConfigError


def settings(
    search: Annotated[
        str | None, typer.Argument(help="Show those with this in their name or their meaning.")
    ] = None,
    *,
    sets: options.Sets = None,
) -> None:
    """List the settings: name, value in force here, and meaning; what is not the default is bold.

    A value comes from a flag or `--set`, else the environment (TURNKIT_NAME), else turnkit.toml.
    """
    from rich.table import Table
    from rich.text import Text

    inforce = options.read_settings(sets, quiet=True)
    table = Table("setting", "value", "meaning", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for name, field in type(inforce).model_fields.items():
        if search is None or search.lower() in f"{name} {field.description}".lower():
            value = getattr(inforce, name)
            style = "" if value == field.default else "bold"
            table.add_row(name, Text(_shown(value), style=style), Text(_meaning(name, field)))
    if not table.rows:
        raise ConfigError(f"no setting has {search!r} in its name or its meaning")
    options.console.print(table)


def _shown(value: Any) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _meaning(name: str, field: Any) -> str:
    """Return its description, the values it may have, and where else it is read."""
    parts = [" ".join((field.description or "").split())]
    bounds = [
        f"{sign} {bound:g}"
        for rule in field.metadata
        for sign, of in (("≥", "ge"), (">", "gt"), ("≤", "le"), ("<", "lt"))
        if (bound := getattr(rule, of, None)) is not None
    ]
    choices = _choices(field.annotation)
    if bounds or choices:
        parts.append(f"({', '.join(bounds or choices)})")
    aliases = getattr(field.validation_alias, "choices", [])
    parts += [f"Also the variable {alias}." for alias in aliases if alias != name]
    return " ".join(filter(None, parts))


def _choices(annotation: Any) -> list[str]:
    """Return the words of a Literal, also where None may stand in its place."""
    from typing import Literal, get_args, get_origin

    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return [word for part in get_args(annotation) for word in _choices(part)]

"""Models that users bring: whether the package is installed, and the folder a model's."""

import importlib.util
from pathlib import Path

from turnkit.errors import ConfigError


def model_folder(name: str, argument: str | None, needs: tuple[str, ...], *, package: str) -> Path:
    """Return the folder in which the model is.

    Args:
        name: the recognizer's, as users write it.
        argument: what was given as its folder.
        needs: what has to be in the folder, as patterns; of `a|b` one of the two.
        package: what is imported for it, and installed under the same name but for its hyphens.

    Raises:
        ConfigError: the package is missing, or this is not the folder of such a model.
    """
    if importlib.util.find_spec(package) is None:
        raise ConfigError(
            f"recognizer {name} is not installed; install it with "
            f"`pip install {package.replace('_', '-')}`"
        )
    wanted = f"which holds {', '.join(need.replace('|', ' or ') for need in needs)}"
    if argument is None:
        raise ConfigError(
            f"recognizer {name} needs a model: --set recognizer={name}:FOLDER, {wanted}"
        )
    folder = Path(argument).expanduser()
    if not folder.is_dir():
        raise ConfigError(f"recognizer {name}: {folder} is no folder; name a model's, {wanted}")
    missing = [need for need in needs if not any(_in(folder, n) for n in need.split("|"))]
    if missing:
        raise ConfigError(
            f"recognizer {name}: {folder} is not the folder of such a model, {wanted}; "
            f"missing: {', '.join(need.replace('|', ' or ') for need in missing)}"
        )
    return folder.absolute()


def best_file(folder: Path, pattern: str) -> Path | None:
    """Return the file that matches, in full precision if there are several, or None."""
    found = sorted(folder.glob(pattern), key=lambda file: ("int8" in file.name, len(file.name)))
    return found[0] if found else None


def _in(folder: Path, pattern: str) -> bool:
    return next(folder.glob(pattern), None) is not None

"""Names of earlier versions that are still accepted: keys in files, options and commands. Nothing writes
them.

They will be removed with the release after the next one, except the keys in files, which stay readable.
"""

from collections.abc import Sequence

EARLIER_KEYS: dict[str, dict[str, str]] = {
    "Preparation": {"steady": "stabilise", "still_flow": "remove_global_motion"},
    "Training": {
        "batch": "batch_size",
        "level": "detrend",
        "stretch": "clipping_percentile",
        "vary_stretch": "vary_clipping",
        "mix": "mixup",
        "from": "init",
        "from_": "init",
        "keep_start": "interpolate_init",
    },
    "Study": {"learn_from": "train_people"},
    "Resources": {"at_once": "parallel_folds"},
}
"""Settings record -> earlier key -> the field that it is now."""

EARLIER_OPTIONS = {"--choice": "--selection"}
"""Earlier option -> option, of those that are no field of a settings record."""

EARLIER_COMMANDS = {("choose",): ("select",), ("explain", "when"): ("explain", "temporal")}
"""Earlier command -> command."""


def current_key(record: str, key: str) -> str:
    """Return the field of a settings record for which `key` stands, which may be its earlier name."""
    return EARLIER_KEYS.get(record, {}).get(key, key)


def earlier_options() -> dict[str, str]:
    """Return all earlier options and what they are now."""
    options = dict(EARLIER_OPTIONS)
    for keys in EARLIER_KEYS.values():
        for earlier, current in keys.items():
            words = earlier.strip("_").replace("_", "-"), current.replace("_", "-")
            options[f"--{words[0]}"] = f"--{words[1]}"
            options[f"--no-{words[0]}"] = f"--no-{words[1]}"
    return options


def current_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Translate the earlier names in the arguments of a command.

    Args:
        arguments: without the name of the program. What follows `--` is left as it is.

    Returns:
        The arguments with the names of today, and a sentence for each name that was translated.
    """
    translated, notes = list(arguments), []
    for earlier, current in EARLIER_COMMANDS.items():
        if tuple(arguments[: len(earlier)]) == earlier:
            translated[: len(earlier)] = current
            notes.append(_note(f"learnet {' '.join(earlier)}", f"learnet {' '.join(current)}"))
    options = earlier_options()
    for index, argument in enumerate(translated):
        if argument == "--":
            break
        name, equals, value = argument.partition("=")
        if name in options:
            translated[index] = f"{options[name]}{equals}{value}"
            notes.append(_note(name, options[name]))
    return translated, notes


def _note(earlier: str, current: str) -> str:
    return f"`{earlier}` is now called `{current}`; the earlier name will be removed."

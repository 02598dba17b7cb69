"""Labels in people's own words: everyday words for the emotions, and a table for all others.

The words of the published databases are in `labels.ALIASES`; there, no other word is expected.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from learnet.core.errors import BadInput, counted
from learnet.core.files import check_input, shortened_list
from learnet.core.labels import ALIASES, EMOTIONS, SYNONYMS, UnknownLabel, nearest_emotion, normalise_word
from learnet.core.serialisation import parse_toml

TABLE = "labels"
LABELS_READ = "labels read"  # key of `OwnLabels.translated` where a prepared folder says what was read
HOW_TO_WRITE = 'Write a table [labels] with lines such as joyous = "happiness" (docs/datasets/folder.md).'
HOW_TO_MAP = "Say what other words mean with a label map (--label-map, docs/datasets/folder.md)."
NO_MAP: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class OwnLabel:
    """A label as somebody wrote it."""

    word: str
    where: str  # row of a table, or folder


@dataclass(frozen=True)
class OwnLabels:
    """The emotions of labels in somebody's own words."""

    emotions: tuple[str, ...]
    translated: str  # "joy as happiness (12), neutral as none (3)"; empty if all words are those of databases


def is_emotion_word(word: str, label_map: Mapping[str, str] = NO_MAP) -> bool:
    """Return whether a word stands for an emotion."""
    return _emotion(word, label_map) is not None


def parse_own_labels(
    labels: Iterable[OwnLabel], source: Path | str, label_map: Mapping[str, str] = NO_MAP
) -> OwnLabels:
    """Return the emotions that words stand for, whatever their case and blanks.

    Args:
        labels: as they are written.
        source: file or folder, for errors.
        label_map: output of `read_label_map`; it comes before the usual meaning of a word.

    Raises:
        UnknownLabel: all words that are not known, each with the number of its labels and where they are.
    """
    emotions: list[str] = []
    unknown: dict[str, list[str]] = {}
    translated: Counter[str] = Counter()
    for label in labels:
        emotion = _emotion(label.word, label_map)
        if emotion is None:
            unknown.setdefault(label.word.strip(), []).append(label.where)
            continue
        if emotion != _database_emotion(label.word):
            translated[f"{label.word.strip()} as {emotion}"] += 1
        emotions.append(emotion)
    if unknown:
        raise UnknownLabels(source, unknown)
    texts = [f"{reading} ({number})" for reading, number in sorted(translated.items())]
    return OwnLabels(tuple(emotions), ", ".join(texts))


class UnknownLabels(UnknownLabel):
    """Labels that are no known words for an emotion.

    Args:
        source: file or folder with the labels.
        places: word -> where it is.
    """

    def __init__(self, source: Path | str, places: Mapping[str, list[str]]) -> None:
        parts, suggestions = [], []
        for word, where in places.items():
            parts.append(f"{word!r} ({len(where)}: {shortened_list(where)})")
            if near := nearest_emotion(word, EMOTIONS):
                suggestions.append(f"{near!r} for {word!r}")
        verb = "is" if len(places) == 1 else "are"
        what = f"{source}: {counted(len(places), 'label')} {verb} not known: {', '.join(parts)}."
        meant = f"Did you mean {', '.join(suggestions)}? " if suggestions else ""
        super(UnknownLabel, self).__init__(what, f"{meant}Known: {', '.join(EMOTIONS)}. {HOW_TO_MAP}")
        self.label = next(iter(places))


def read_label_map(file: Path | None) -> Mapping[str, str]:
    """Read which emotion each of somebody's own words stands for, from the table `[labels]` of a TOML file.

    Args:
        file: TOML file; None for no words of one's own.

    Returns:
        Word, as `labels.normalise_word` writes it -> emotion.

    Raises:
        BadInput: no such file, no such table, another value than an emotion, or a word with two meanings.
    """
    if file is None:
        return NO_MAP
    check_input(file, "Give a TOML file.")
    try:
        tables = parse_toml(file.read_text(encoding="utf-8"), file, HOW_TO_WRITE)
    except OSError as error:
        raise BadInput(file, f"the label map cannot be read ({error.strerror})", HOW_TO_WRITE) from error
    except UnicodeDecodeError as error:
        raise BadInput(file, f"this is not TOML ({error})", HOW_TO_WRITE) from None
    table = tables.get(TABLE)
    if not isinstance(table, dict) or tables.keys() != {TABLE}:
        raise BadInput(file, "this is not a table [labels] alone", HOW_TO_WRITE)
    return _checked_map(file, table)


def _checked_map(file: Path, table: Mapping[str, object]) -> dict[str, str]:
    label_map: dict[str, str] = {}
    for word, meaning in table.items():
        emotion = _emotion(meaning, NO_MAP) if isinstance(meaning, str) else None
        if emotion is None:
            hint = f"Choose from {', '.join(EMOTIONS)}."
            raise BadInput(file, f"{word} = {meaning!r} is not an emotion", hint)
        if label_map.setdefault(normalise_word(word), emotion) != emotion:
            raise BadInput(file, f"{word} has two meanings", "Case and blanks make no difference.")
    return label_map


def _emotion(word: str, label_map: Mapping[str, str]) -> str | None:
    """Return the emotion that a word stands for, or None."""
    plain = normalise_word(word)
    return label_map.get(plain) or _database_emotion(word) or SYNONYMS.get(plain)


def _database_emotion(word: str) -> str | None:
    """Return the emotion of a word that published databases use, or None."""
    plain = normalise_word(word)
    return plain if plain in EMOTIONS else ALIASES.get(plain)

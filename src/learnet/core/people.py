"""Spellings of people: `01`, `1` and `1.0`, `Anna` and `anna`, `sub03`, `03` and `S3` may be one person.

A fold that trains on one spelling and tests on the other one leaks.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from learnet.core.errors import LearnetError
from learnet.core.records import Finding

FINDING = "person spelled twice"

_PREFIXES = {
    **dict.fromkeys(("s", "sub", "subj", "subject", "sp"), "subject"),
    **dict.fromkeys(("p", "pp", "part", "participant", "person"), "participant"),
    **dict.fromkeys(("vp", "versuchsperson", "proband", "probandin"), "participant"),  # German
    "o": "zero",  # `O1`, which looks like `01`
}
"""Words before the number of a person, and what they stand for."""

_NUMBER_WORD = re.compile(r"(?:no|nr|number|id)$")
_WHOLE_NUMBER = re.compile(r"(?<=\d)[.,]0+$")  # `1.0`, as spreadsheet programs write 1
_NAME_FIRST = re.compile(r"([^\W\d][^,]*),\s*([^\W\d][^,]*)")  # `Smith, Anna`
_LOOK_ALIKE = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455"  # Cyrillic
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7",  # Greek
    "abekmhopctyxijsabezhikmnoptyx",
)
"""Letters after `casefold` -> Latin letters that look like them in lower or upper case."""

_WITHOUT_ACCENT = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "ł": "l", "ı": "i"})
"""Letters that Unicode does not divide into a letter and an accent, after `casefold` -> how they are written
without it. `ß` becomes `ss` by `casefold`."""

_UMLAUT = re.compile(r"([aou])e")  # `ä`, `ö` or `ü`, which others write as `a`, `o` or `u`
_SHORTEST_WITH_UMLAUT = 4  # letters; `Joe` and `Jo` are two names

_COMBINING = ("\u0300", "\u036f")  # first and last accent of Latin, Greek and Cyrillic letters


@dataclass(frozen=True)
class _Spelling:
    """What two spellings of one person have in common."""

    words: tuple[str | int, ...]  # without the prefix
    prefix: str = ""  # "subject", "participant" or none


def spellings(people: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the names that may be of one person, for each person who may have several.

    Case, blanks, punctuation, accents, leading zeros, Unicode forms and the alphabet of letters that look
    alike make no difference, nor does the way in which an umlaut is written (`Müller`, `Mueller`, `Muller`),
    nor a word such as `sub` before a number where the number occurs without it too. `Smith, Anna` may be
    `Anna Smith`.

    Args:
        people: names, or keys such as `casme2/sub01`, of which each part is compared.
    """
    names = sorted(set(people))
    all_words = {_words_and_prefixes(name)[0] for name in names}
    by_words: dict[tuple, dict[tuple[str, ...], list[str]]] = {}
    for person in names:
        words, prefixes = _words_and_prefixes(person)
        reordered, _ = _words_and_prefixes(_first_name_first(person))
        key = reordered if reordered in all_words else words
        by_words.setdefault(key, {}).setdefault(prefixes, []).append(person)
    groups = []
    for by_prefix in by_words.values():
        if any(not any(prefixes) for prefixes in by_prefix):  # the number alone: of which prefix is not known
            groups.append(tuple(sorted(person for names in by_prefix.values() for person in names)))
        else:
            groups += map(tuple, by_prefix.values())
    return [group for group in groups if len(group) > 1]


def first_spellings(people: Sequence[str]) -> dict[str, str]:
    """Return the spelling that comes first in `people` for each other spelling of a person."""
    first: dict[str, str] = {}
    for group in spellings(people):
        kept = min(group, key=people.index)
        first.update((other, kept) for other in group if other != kept)
    return first


def known_people(people: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return those of `people` who are among `known`, in whatever spelling, in alphabetical order."""
    asked, known = set(people), set(known)
    found = asked & known
    for group in spellings(asked | known):
        if not known.isdisjoint(group):
            found |= asked.intersection(group)
    return sorted(found)


def describe_spellings(group: Sequence[str]) -> str:
    """Return `'01', '1' and '1.0'`."""
    quoted = list(map(repr, group))
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def spelling_findings(people: Iterable[str], where: str) -> list[Finding]:
    """Return a serious finding for each person who may have several names.

    Args:
        people: names, or keys of people.
        where: file or folder with the names.
    """
    findings = []
    for group in spellings(people):
        hint = "use one name, or say in a study that they are different people (--distinct-people)"
        what = f"{describe_spellings(group)} may be one person; {hint}"
        findings.append(Finding(FINDING, where, what, serious=True))
    return findings


def check_spellings(people: Iterable[str]) -> None:
    """Refuse people of whom one may have two names, and so be trained on and tested.

    Raises:
        LearnetError: there are such people.
    """
    groups = spellings(people)
    if not groups:
        return
    described = "; ".join(map(describe_spellings, groups[:3]))
    more = f"; and {len(groups) - 3} more" if len(groups) > 3 else ""
    what = f"These may be one person, who would be trained on and tested: {described}{more}."
    hint = "Use one name for each person, or say that they are different people (--distinct-people)."
    raise LearnetError(what, hint)


def _words_and_prefixes(person: str) -> tuple[tuple, tuple[str, ...]]:
    """Return what spellings of a person have in common, and the word before each number."""
    is_number = person.replace("/", "").isdecimal()  # `1/1` is no key of a database, and may be `1-1`
    parts = [_spelling(part) for part in ([person] if is_number else person.split("/"))]
    return tuple(part.words for part in parts), tuple(part.prefix for part in parts)


def _first_name_first(person: str) -> str:
    """Return `Anna Smith` for `Smith, Anna`, in the last part of a key; other names as they are."""
    database, separator, name = person.rpartition("/")
    match = _NAME_FIRST.fullmatch(name.strip())
    return f"{database}{separator}{match[2]} {match[1]}" if match else person


def _spelling(name: str) -> _Spelling:
    text = _WHOLE_NUMBER.sub("", unicodedata.normalize("NFKD", name).strip())
    letters = "".join(map(_plain, text)).casefold().translate(_LOOK_ALIKE).translate(_WITHOUT_ACCENT)
    words: list[str | int] = []
    for word in re.findall(r"\d+|[^\d\s]+", letters):
        if isinstance(word, str) and word.isdecimal():
            words.append(int(word))
        elif words and isinstance(words[-1], str):
            words[-1] += word
        else:
            words.append(word)
    if len(words) > 1 and isinstance(words[0], str):
        prefix = _NUMBER_WORD.sub("", words[0])
        if not prefix or prefix in _PREFIXES:
            return _Spelling(_without_umlauts(words[1:]), _PREFIXES.get(prefix, ""))
    return _Spelling(_without_umlauts(words) or (name,))


def _without_umlauts(words: Iterable[str | int]) -> tuple[str | int, ...]:
    """Return the words with one letter for each umlaut."""
    plain: list[str | int] = []
    for word in words:
        if isinstance(word, str) and len(word) >= _SHORTEST_WITH_UMLAUT:
            word = _UMLAUT.sub(r"\1", word)
        plain.append(word)
    return tuple(plain)


def _plain(character: str) -> str:
    """Return a character as it counts in a name: nothing for an accent, a blank for punctuation."""
    category = unicodedata.category(character)
    if category == "Cf" or _COMBINING[0] <= character <= _COMBINING[1]:
        return ""
    is_separator = category == "Cc" or category[0] in "ZPS"
    return " " if is_separator else character

"""Which names may be of one person, worked by hand."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import LearnetError
from learnet.core.people import check_spellings, first_spellings, spelling_findings, spellings

ONE_PERSON = [
    ("01", "1", "1.0", "1,0", "001", "１", "٠١"),
    ("6", "006"),
    ("Anna", "anna", "ANNA", " anna ", "Anna\u200b"),
    ("Anna K.", "anna_k", "Anna-K"),
    ("Zoë", unicodedata.normalize("NFD", "Zoë"), "zoe"),
    ("sub03", "03", "S3", "Subject 3", "subject_003", "spNO.3", "No. 3"),
    ("P07", "participant 7", "person-07", "7"),
    ("VP7", "Vp_07", "Proband 7", "P7"),
    ("casme2/sub01", "CASME2/1", "casme-2/S01"),
    ("03a", "3A"),
    ("Anna", "\u0410nna", "\u0391nn\u0430"),  # with a Cyrillic and a Greek first letter
    ("\u0410\u041d\u041d\u0410", "\u0430\u043d\u043d\u0430", "AHHA"),
    ("01", "\u041e1", "O1", "1"),
    ("Anna Smith", "Smith, Anna", "smith,anna"),
    ("casme2/Anna Smith", "casme2/Smith, Anna"),
    ("Smith, Anna", "smith anna"),
    ("1/1", "1-1", "01/01"),
    ("Müller", "Mueller", "Muller", "MUELLER", "M\u00fcller".upper(), "Mu\u0308ller"),
    ("Mueller", "Muller"),
    ("Weiß", "Weiss", "WEISS"),
    ("Bär", "Baer"),
    ("Jörg Größmann", "Joerg Groessmann", "jorg-grossmann"),
    ("Søren", "Soeren", "Soren"),
    ("Łukasz", "Lukasz"),
    ("own/Ægir", "own/Aegir"),
    ("03ä", "3a"),
]
TWO_PEOPLE = [
    ("1", "10"),
    ("1-1", "11"),
    ("S3", "P3"),  # speaker and partner, or the like: neither is a number alone
    ("Anna", "Anne"),
    ("casme2/01", "samm/01"),
    ("1", "1.5"),
    ("s1", "s11"),
    ("A1", "B1"),
    ("p01a", "p01b"),
    ("m01", "f01"),
    ("O1", "Y1"),
    ("O1", "P1"),
    ("1/1", "11"),
    ("Smith, Anna", "Smith, Bo"),
    ("Joe", "Jo"),
    ("Sue", "Su"),
    ("Muller", "Miller"),
    ("Weiss", "Weis"),
    ("Bauer", "Bar"),
    ("Maier", "Mair"),
    ("1ae", "1a"),
    ("Smith, Anna", "Anna, Smith"),
    ("\u0418\u0432\u0430\u043d", "Ivan"),  # a translation, which nothing here compares
    ("?", "!"),
    ("\u0915\u093f", "\u0915\u0941"),  # two syllables of Hindi that differ in the vowel sign
    ("a\udcff", "a\udcfe"),  # names that are not UTF-8
]


@pytest.mark.parametrize("names", ONE_PERSON)
def test_spellings_of_one_person(names: tuple[str, ...]) -> None:
    (group,) = spellings(names)
    assert group == tuple(sorted(names))
    assert set(first_spellings(names)) == set(names[1:]) and set(first_spellings(names).values()) == {
        names[0]
    }


@pytest.mark.parametrize("names", TWO_PEOPLE)
def test_names_of_two_people(names: tuple[str, str]) -> None:
    assert spellings(names) == [] and spelling_findings(names, "labels.csv") == []
    check_spellings(names)


@given(st.integers(0, 9999), st.integers(0, 9999), st.integers(1, 6))
def test_numbers_are_one_person_if_they_are_equal(first: int, second: int, width: int) -> None:
    names = [str(first), f"sub{second:0{width}}"]
    assert bool(spellings(names)) == (first == second)


@given(st.lists(st.text(max_size=8), max_size=6))
def test_any_names(names: list[str]) -> None:
    groups = spellings(names)
    grouped = [name for group in groups for name in group]
    assert len(grouped) == len(set(grouped)) and set(grouped) <= set(names)


def test_a_finding_and_a_refusal_name_them() -> None:
    (finding,) = spelling_findings(["1", "Bo", "01"], "labels.csv")
    assert finding.serious and finding.what.startswith("'01' and '1' may be one person")
    with pytest.raises(LearnetError, match="may be one person.*'01', '1' and '1.0'.*--distinct-people"):
        check_spellings(["1", "01", "1.0"])


NAMES_OF_DATABASES = {
    "casme": [f"sub{number:02}" for number in range(1, 20)],
    "casme2": [f"sub{number:02}" for number in range(1, 27)],
    "casme-sq": [f"s{number}" for number in range(15, 41)],
    "casme3": [f"spNO.{number}" for number in range(1, 248)],
    "samm": [f"{number:03}" for number in range(6, 38)],
    "smic": [f"s{number}" for number in range(1, 21)],
    "smic, two digits": [f"s{number:02}" for number in range(1, 21)],
    "mmew": [f"S{number}" for number in range(1, 31)],
    "mmew, names": ["cqs", "dyh", "fsl", "gxh", "hjy", "jxe", "lae", "loe", "lue", "la", "lo", "lu"],
}


@pytest.mark.parametrize("database", NAMES_OF_DATABASES)
def test_no_two_people_of_a_database_are_taken_for_one(database: str) -> None:
    names = NAMES_OF_DATABASES[database]
    assert spellings(names) == []
    assert spellings([f"{database}/{name}" for name in names]) == []


def test_common_first_names_are_of_different_people() -> None:
    """Frequent first names of people born in the United States in 2000."""
    text = """Jacob Michael Matthew Joshua Christopher Nicholas Andrew Joseph Daniel Tyler William Brandon
    Ryan John Zachary David Anthony James Justin Alexander Jonathan Christian Austin Dylan Ethan Benjamin Noah
    Samuel Robert Nathan Cameron Kevin Thomas Jose Hunter Jordan Kyle Caleb Jason Logan Aaron Eric Emily
    Hannah Madison Ashley Sarah Alexis Samantha Jessica Elizabeth Taylor Lauren Alyssa Kayla Abigail Brianna
    Olivia Emma Megan Grace Victoria Rachel Anna Sydney Destiny Morgan Jennifer Jasmine Haley Julia Kaitlyn
    Nicole Amanda Katherine Natalie Hailey Alexandra Savannah Chloe Rebecca Stephanie Maria Sophia Mackenzie
    Allison Isabella Amber Mary Danielle Gabrielle Jordan Brooke Michelle Sierra Katelyn Andrea Madeline"""
    assert spellings(text.split()) == []

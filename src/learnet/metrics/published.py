"""What others have published, with what is known against it: the paper's figures and the field's, as a plain table.

Nothing here was checked by running anything unless its caveat says so. A figure stands beside a study only where that study is of the
same databases in the same classes (`beside`); even then it is of other clips, faces and motion images than the study's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ALL = "all"
"""Key of the values over all databases of a study together."""


@dataclass(frozen=True)
class Published:
    """The figures of one method on one choice of databases and classes."""

    who: str
    year: int | None  # None where it is not known
    databases: tuple[str, ...]  # trained and tested on, together; in alphabetical order
    scheme: str  # one of labels.SCHEMES
    protocol: str
    values: Mapping[
        str, Mapping[str, float]
    ]  # ALL or a database of several -> measure of metrics.MEASURES -> share from 0 to 1
    source: str  # where the figures stand
    caveat: str  # what a reader must know before comparing with them; "" where nothing is known
    networks: tuple[str, ...] = ()  # names in NETWORKS of the same method


def beside(databases: Iterable[str], scheme: str) -> list[Published]:
    """The figures that may stand beside a study of these databases in these classes, the paper's own first."""
    names = tuple(sorted(set(databases)))
    return [one for one in PUBLISHED if one.databases == names and one.scheme == scheme]


COMPOSITE = ("casme2", "samm", "smic")

_SLIDES = "the authors' slides of June 2019"
_SURVEY = "Li et al., arXiv 2107.02823, as copied by others"
_HTNET = "HTNet's paper, table 2"
_STSTNET = "STSTNet's paper, table III"
_DFACE = "as quoted with D-FACE"
_README = "its README"

_NO_PROTOCOL = "the authors state no protocol"
_LATER = "the same authors' later networks, tested by leave-one-subject-out with four classes, score 8 to 14.5 points less"
_COLLAPSED = "the very same value on two databases, as if it gave one answer to every clip"
_AS_ON_CASME = "with three classes it has its value on CASME, as if it gave one answer to every clip"
_DEEP = "34 layers by their table"
_BEST_EPOCH = "best epoch on the test subject"
_SECOND_HAND = "second-hand: the paper itself was not read"


def _paper(
    who: str, networks: tuple[str, ...], accuracy: Mapping[str, float], doubt: str = ""
) -> list[Published]:
    """A row of the authors' slides: accuracy of a method on each database."""
    schemes = {"casme": "casme-8", "casme2": "casme2-7", "casme-sq": "casme-sq-4"}
    notes = {
        "casme-sq": "its classes are not known, and taken here to be every label, as on CASME and CASME II"
    }
    return [
        Published(
            who, 2019, (database,), schemes[database], "not stated", {ALL: {"accuracy": value}}, _SLIDES,
            "; ".join(filter(None, (_NO_PROTOCOL, doubt, notes.get(database)))), networks,
        )
        for database, value in accuracy.items()
    ]  # fmt: skip


def _smic(who: str, networks: tuple[str, ...], three: float, two: float, caveat: str) -> list[Published]:
    """A row of the slides' table of SMIC."""
    three_of = f'{_NO_PROTOCOL}; headed "5-Class", but SMIC has three; {caveat}'
    two_of = f'{_NO_PROTOCOL}; headed "2-Class", which is not explained, probably micro or not; {caveat}'
    return [
        Published(
            who,
            2019,
            ("smic",),
            "smic-3",
            "not stated",
            {ALL: {"accuracy": three}},
            _SLIDES,
            three_of,
            networks,
        ),
        Published(
            who, 2019, ("smic",), "smic-2", "not stated", {ALL: {"accuracy": two}}, _SLIDES, two_of, networks
        ),
    ]


def _survey(
    who: str,
    year: int | None,
    database: str,
    scheme: str,
    accuracy: float,
    caveat: str,
    networks: tuple[str, ...] = (),
) -> Published:
    """A row of the survey: accuracy, by leave-one-subject-out as far as it says."""
    said = f"{_SECOND_HAND}; {caveat}" if caveat else _SECOND_HAND
    return Published(
        who,
        year,
        (database,),
        scheme,
        "loso, says the survey",
        {ALL: {"accuracy": accuracy}},
        _SURVEY,
        said,
        networks,
    )


def _composite(
    who: str, year: int | None, figures: str, source: str, caveat: str = "", networks: tuple[str, ...] = ()
) -> Published:
    """A row of the composite's table: `UF1/UAR` of all, SMIC, CASME II, SAMM; a dash where there is none."""
    values: dict[str, dict[str, float]] = {}
    for part, pair in zip((ALL, "smic", "casme2", "samm"), figures.split(), strict=True):
        found = {
            name: float(word)
            for name, word in zip(("uf1", "uar"), pair.split("/"), strict=True)
            if word != "-"
        }
        values |= {part: found} if found else {}
    return Published(who, year, COMPOSITE, "megc-3", "loso", values, source, caveat, networks)


_LEARNET = ("learnet", "learnet-paper")
_FOUR = "which four classes is not said"

PUBLISHED: tuple[Published, ...] = (
    *(
        _survey("LEARNet", 2020, database, scheme, accuracy, f"{_NO_PROTOCOL}; {doubt}", _LEARNET)
        for database, scheme, accuracy, doubt in (
            ("casme", "casme-8", 0.8062, _LATER),
            ("casme2", "casme2-7", 0.7657, _LATER),
            ("smic", "smic-3", 0.8160, "GEME, from dynamic images too, has .6463 in the same three classes"),
        )
    ),
    *_paper("LEARNet", _LEARNET, {"casme": 0.8042, "casme2": 0.7682}, _LATER),
    *_paper("LEARNet", _LEARNET, {"casme-sq": 0.7627}),
    *_smic("LEARNet", _LEARNET, 0.8266, 0.9109, "the paper's margin over ResNet, 2.82 points, is that of the two classes"),
    *_paper("ResNet of LEARNet's authors", ("resnet34",), {"casme": 0.7639, "casme2": 0.7449, "casme-sq": 0.7448}, _DEEP),
    *_smic("ResNet of LEARNet's authors", ("resnet34",), 0.7136, 0.8827, _DEEP),
    *_paper("VGG-16 of LEARNet's authors", ("vgg16",), {"casme": 0.3659, "casme2": 0.4429, "casme-sq": 0.4429}, _COLLAPSED),
    *_smic("VGG-16 of LEARNet's authors", ("vgg16",), 0.3659, 0.5153, _AS_ON_CASME),
    *_paper("VGG-19 of LEARNet's authors", ("vgg19",), {"casme": 0.3659, "casme2": 0.4429, "casme-sq": 0.4428}, _COLLAPSED),
    *_smic("VGG-19 of LEARNet's authors", ("vgg19",), 0.3659, 0.5153, _AS_ON_CASME),
    _survey("OrigiNet", 2020, "casme", "casme-4", 0.6609, f"{_FOUR}; by LEARNet's authors"),
    _survey("OrigiNet", 2020, "casme2", "casme2-4", 0.6209, f"{_FOUR}; by LEARNet's authors"),
    _survey("AffectiveNet", 2020, "casme", "casme-4", 0.7264, f"{_FOUR}; by LEARNet's authors"),
    _survey("AffectiveNet", 2020, "casme2", "casme2-4", 0.6874, f"{_FOUR}; by LEARNet's authors"),
    _survey("TSCNN", None, "casme", "casme-4", 0.7388, _FOUR),
    _survey("TSCNN", None, "casme2", "casme2-5", 0.8097, ""),
    _survey("TSCNN", None, "smic", "smic-3", 0.7274, ""),
    _survey("TSCNN", None, "samm", "samm-5", 0.7176, ""),
    _survey("GEME", 2021, "casme2", "casme2-5", 0.7520, "with it an F1 of .7354, averaged we do not know how"),
    _survey("GEME", 2021, "smic", "smic-3", 0.6463, "with it an F1 of .6158, averaged we do not know how"),
    _survey("GEME", 2021, "samm", "samm-5", 0.5588, "with it an F1 of .4538, averaged we do not know how"),
    _composite(
        "LBP-TOP", 2019, ".5882/.5785 .2000/.5280 .7026/.7429 .3954/.4102", "the challenge's description", "the organisers' baseline",
        ("lbp-top",),
    ),
    _composite("Bi-WOOF", 2018, ".6296/.6227 .5727/.5829 .7805/.8026 .5211/.5139", _STSTNET),
    _composite(
        "AlexNet on flow", 2019, ".6933/.7154 .6201/.6373 .7994/.8312 .6104/.6642", _STSTNET,
        "its UAR may be a precision, as STSTNet's in the same table is",
    ),
    _composite(
        "OFF-ApexNet", 2019, ".7196/.7096 .6817/.6695 .8764/.8681 .5409/.5392", f"{_STSTNET}, and {_HTNET}",
        "run again by others, all together: UF1 .7032, or .8390 with the best epoch on the test subject", ("off-apexnet",),
    ),
    _composite(
        "CapsuleNet", 2019, ".6520/.6506 .5820/.5877 .7068/.7018 .6209/.5989", _HTNET,
        f"{_BEST_EPOCH}; its log holds 435 of the 442 clips, and gives these figures when counted again",
    ),
    _composite("ELBPTOP", 2020, ".71/.69 .65/.66 .89/.88 .49/.49", "its paper"),
    _composite("Dual-Inception", 2019, ".7322/.7278 .6645/.6726 .8621/.8560 .5868/.5663", _HTNET, "", ("dual-inception",)),
    _composite(
        "STSTNet (MATLAB)", 2019, ".7353/.7605 .6801/.7013 .8382/.8686 .6588/.6810", _STSTNET,
        "its UAR is a precision mistaken for recall: truth and prediction were swapped; recomputed from the authors' log it is .7186, "
        "SMIC .6703, CASME II .8190, SAMM .6415",
        ("ststnet",),
    ),
    _composite(
        "STSTNet (PyTorch)", 2022, ".7209/.7250 .6871/.6876 .8304/.8304 .5993/.6145", "its authors' README",
        "last epoch, so honest; recomputed from its weights and data: the same. Others' run: UF1 .7127, or .7740 with the best epoch on "
        "the test subject",
        ("ststnet",),
    ),
    _composite("EMR", 2019, ".7885/.7824 .7461/.7530 .8293/.8209 .7754/.7152", _HTNET, "has learned from macro-expressions too"),
    _composite("RCN-A", 2020, ".7432/.7190 .6326/.6441 .8512/.8123 .7601/.6715", _HTNET),
    _composite("FeatRef", 2022, ".7838/.7832 .7011/.7083 .8915/.8873 .7372/.7155", _HTNET),
    _composite("SLSTT", 2022, ".8160/.7900 .7400/- .9010/- .7150/-", _DFACE, _SECOND_HAND),
    _composite("FRL-DGT", 2023, "-/- -/- -/- .7720/-", "as quoted with MEMix", f"{_SECOND_HAND}; no code; the rest could not be checked"),
    _composite(
        "Micron-BERT", 2023, "-/- -/- .9034/- -/-", "as quoted by others",
        f"{_SECOND_HAND}; nobody reproduces it (issues 6, 19 and 27 of its repository); the rest could not be checked",
    ),
    _composite(
        "HTNet", 2024, ".8603/.8475 .8049/.7905 .9532/.9516 .8131/.8124", _README,
        f"{_BEST_EPOCH}; who runs its code gets UF1 .648 to .655 all together (issue 21 of its repository)",
    ),
    _composite("SRMCL", 2024, ".8630/.8830 .7946/- .9635/- .8470/-", _DFACE, _SECOND_HAND),
    _composite("LTR3O", 2025, ".8931/.8819 .8336/- .9578/- .8912/-", _DFACE, _SECOND_HAND),
    _composite("CausalNet", 2025, ".8976/.9020 .8390/.8452 .9811/.9858 .8780/.8582", _README, f"{_BEST_EPOCH}, by its code"),
    _composite("Ra-ICL", 2026, ".8805/.8911 .8179/- .9620/- .8668/.8885", "its paper", "no code; needs no apex"),
    _composite(
        "D-FACE", 2026, ".8943/.8967 .8422/- .9738/- .8716/-", "its paper on OpenReview", "pre-trained on about a million pairs of VoxCeleb"
    ),
    _composite(
        "linear SVM on flow of 28x28 pixels", None, ".7222/.7422 .6653/.6779 .8508/.8683 .6186/.6517", "measured for this project",
        "not published; honest and untuned: what a comparison should at least beat", ("linear-svm",),
    ),
    *(
        Published(who, year, ("casme3",), "casme3-4", "not known", {ALL: {"uf1": uf1}}, "as quoted by others", caveat)
        for who, year, uf1, caveat in (
            ("SFAMNet", None, 0.446, _SECOND_HAND),
            ("Ra-ICL", 2026, 0.61, f"{_SECOND_HAND}; no code"),
            ("D-FACE", 2026, 0.68, f"{_SECOND_HAND}; pre-trained on about a million pairs of VoxCeleb"),
        )
    ),
)  # fmt: skip

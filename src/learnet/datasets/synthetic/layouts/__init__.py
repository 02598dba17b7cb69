"""Layouts of databases that `learnet synthesize` can write, by their name on the command line.

The readers of the real databases read the result; they contain no special case for synthetic data.
"""

from typing import Any

from learnet.datasets.synthetic.layouts import (
    casme,
    casme2,
    casme3,
    casme_sq,
    dfme,
    fourdme,
    mmew,
    samm,
    samm_lv,
    smic,
    smic_e,
)
from learnet.datasets.synthetic.layouts.writing import Layout

LAYOUTS: dict[str, Layout[Any]] = {
    "4dme": fourdme.LAYOUT,
    "casme": casme.LAYOUT,
    "casme2": casme2.LAYOUT,
    "casme-sq": casme_sq.LAYOUT,
    "casme3": casme3.LAYOUT,
    "dfme": dfme.LAYOUT,
    "mmew": mmew.LAYOUT,
    "samm": samm.LAYOUT,
    "samm-lv": samm_lv.LAYOUT,
    "smic": smic.LAYOUT,
    "smic-e": smic_e.LAYOUT,
}

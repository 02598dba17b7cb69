"""Three or more studies over the same clips: whether each differs from the reference by more than chance."""

from collections.abc import Sequence

from learnet.report.comparison.compare import compare_records
from learnet.report.comparison.tables import differences, image_note
from learnet.report.pair import lead
from learnet.report.study_record import StudyRecord


def several(records: Sequence[StudyRecord]) -> dict:
    """Return the content of the section: a sentence for each study, and the table of all differences."""
    comparison = compare_records(records)
    leads = []
    for compared in comparison.compared:
        corrected_p = compared.corrected["uf1"]
        leads.append(lead(compared.record, comparison.against, compared.difference, corrected_p))
    return {
        "reference": comparison.against,
        "leads": leads,
        "sheet": differences(comparison),
        "number": len(leads),
        "image_note": image_note(comparison.records),
    }

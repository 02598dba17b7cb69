"""How often the shipped weights recognise films like that of `learnet demo`, which differ in their seed.

    python benchmarks/films.py [FILMS] [--windows]

Each film shows one synthetic person with three micro-expressions, one of each class, a blink and a turn of
the head (`datasets.synthetic.films`). An expression is found if one event overlaps with it in time, and right
if this event has its class; a blink is right if it is an event of its kind.
With --windows the films are cut into windows instead, in which blinks are no events. Written to
benchmarks/results/films.json, or films-windows.json.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import RESULTS

from learnet.core.settings import Windows
from learnet.datasets.synthetic.films import CLASSES, SyntheticFilm, synthetic_film
from learnet.inference.recogniser import Recogniser
from learnet.inference.recognition import Recognition, timeline
from learnet.report.shown_and_found import ELSEWHERE, ShownAndFound, compare_with_truth, film_truth

FILMS = 40  # seeds from 0
WINDOWS = "--windows"


def main() -> None:
    numbers = [argument for argument in sys.argv[1:] if argument != WINDOWS]
    films = int(numbers[0]) if numbers else FILMS
    windows = Windows() if WINDOWS in sys.argv else None
    recogniser = Recogniser.load()
    counts: dict[str, Counter[str]] = {}
    rows_of_films = []
    with TemporaryDirectory() as folder:
        for seed in range(films):
            film = synthetic_film(Path(folder) / "film.mp4", seed)
            rows = compare(film, recogniser(film.path, windows))
            for row in rows:
                counts.setdefault(row.shown, Counter())[outcome(row)] += 1
            rows_of_films.append([(row.shown, row.detail, row.answer, row.right) for row in rows])
            print(seed, "; ".join(f"{row.shown}: {row.answer}" for row in rows), flush=True)
    expressions = [row for rows in rows_of_films for row in rows if row[0] in CLASSES]
    result = {
        "films": films,
        "expressions": len(expressions),
        "right": sum(row[3] for row in expressions),
        "films in which all is right": sum(all(row[3] for row in rows) for rows in rows_of_films),
        "outcomes": {kind: dict(counter) for kind, counter in counts.items()},
        "rows": rows_of_films,
    }
    name = "films.json" if windows is None else "films-windows.json"
    (RESULTS / name).write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: value for key, value in result.items() if key != "rows"}, indent=1))


def compare(film: SyntheticFilm, recognition: Recognition) -> list[ShownAndFound]:
    shown = timeline(recognition)
    return compare_with_truth(film_truth(film), shown.events, shown.unjudged, CLASSES)


def outcome(row: ShownAndFound) -> str:
    """Return what became of a movement, in one word or two."""
    if row.right and row.found:
        return "right"
    if row.right:
        return "not judged" if row.unjudged else "no event"
    if row.shown == ELSEWHERE:
        return "false alarm"
    if not row.found:
        return "not judged" if row.unjudged else "missed"
    return " and ".join(event.text for event in row.found)


if __name__ == "__main__":
    main()

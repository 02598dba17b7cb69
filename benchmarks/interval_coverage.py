"""How often the 95 % intervals over people contain the true score, with plain and with expanded percentiles.

Two kinds of samples of people are drawn from populations whose true scores are known. `given predictions`:
each person has an accuracy and a mixture of classes of their own, and the system is fixed. `trained anew`:
clips are Gaussian features with person effects, and LDA is trained in leave-one-subject-out on each sample;
the true score is that of LDA trained on as many other people, on very many people.

    python benchmarks/interval_coverage.py [SAMPLES]
"""

import sys
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from learnet.metrics.expanded import TAIL
from learnet.metrics.scores import MEASURES, ends, headline, resampled

PEOPLE = (5, 10, 20, 40)
SAMPLES = 1000
DRAWS = 1000  # resamples of each sample
SEED = 29
SHARES = np.array([0.57, 0.25, 0.18])  # of the classes: about those of the composite of MEGC2019
CLASSES = len(SHARES)
CONCENTRATION = 6.0  # of the classes of a person around SHARES, a Dirichlet distribution
OTHER_CLIPS = (1.5, 0.18)  # of a person beside the first: negative binomial, mean 6.8 and deviation 6.2
SKILL = np.array([1.6, 0.6, 1.0])  # log odds that a clip of each class is predicted correctly
SKILL_SD = 0.8  # of the effect of a person on them
FEATURES = 10
SEPARATION = 0.8  # of the means of the classes, in standard deviations of clips in each feature
PERSON_SD = 0.6  # of the effect of a person on each feature
TRUE_PEOPLE = 200_000
TRAININGS = 200  # whose scores are averaged to the true score of a trained learner
TEST_PEOPLE = 500  # for each of them


@dataclass(frozen=True)
class Coverage:
    """How often intervals contain the true accuracy, UF1 and UAR, and the ratio of their widths."""

    plain: Float[np.ndarray, "3"]
    expanded: Float[np.ndarray, "3"]
    wider: Float[np.ndarray, "3"]  # ratio of the mean widths
    truth: Float[np.ndarray, "3"]


def given_predictions(people: int, samples: int, seed: int = SEED) -> Coverage:
    """Measure the coverage for a fixed system."""
    rng = np.random.default_rng([seed, people])
    clips, correct = _people(rng, TRUE_PEOPLE)
    truth = headline(_confusion_chances(correct, clips).sum(axis=0))
    counts = [_predicted_counts(rng, people) for _ in range(samples)]
    return _coverage(np.array(counts), truth)


def trained_anew(people: int, samples: int, seed: int = SEED) -> Coverage:
    """Measure the coverage for LDA in leave-one-subject-out, which is trained on each sample."""
    means = SEPARATION * np.random.default_rng(seed).standard_normal((CLASSES, FEATURES))
    rng = np.random.default_rng([seed, people])
    scores = []
    for _ in range(TRAININGS):
        learned = _Sample.draw(rng, people - 1, means)
        tested = _Sample.draw(rng, TEST_PEOPLE, means)
        model = _fit(*(part.sum(axis=0, keepdims=True) for part in learned.sums()))
        scores.append(headline(tested.counts(model, np.zeros(TEST_PEOPLE, dtype=int)).sum(axis=0)))
    counts = []
    for _ in range(samples):
        sample = _Sample.draw(rng, people, means)
        others = [part.sum(axis=0) - part for part in sample.sums()]
        counts.append(sample.counts(_fit(*others), np.arange(people)))
    return _coverage(np.array(counts), np.mean(scores, axis=0))


def _coverage(counts: Int[np.ndarray, "R P K K"], truth: Float[np.ndarray, "3"]) -> Coverage:
    """Return the coverage of intervals from the confusion matrices of the people of each sample."""
    people = counts.shape[1]
    plain, expanded = [], []
    for sample in counts:
        drawn = resampled(sample[None], DRAWS)
        plain.append(np.quantile(drawn, [TAIL, 1 - TAIL], axis=1).T)
        expanded.append(ends(drawn, people))
    widths = [np.diff(limits, axis=2).mean(axis=(0, 2)) for limits in (np.array(plain), np.array(expanded))]
    return Coverage(
        plain=_contain(np.array(plain), truth),
        expanded=_contain(np.array(expanded), truth),
        wider=widths[1] / widths[0],
        truth=truth,
    )


def _contain(limits: Float[np.ndarray, "R 3 2"], truth: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    inside = (limits[..., 0] <= truth) & (truth <= limits[..., 1])
    return inside.mean(axis=0)


def _people(
    rng: np.random.Generator, people: int
) -> tuple[Float[np.ndarray, "P K"], Float[np.ndarray, "P K"]]:
    """Return the expected number of clips of each class, and the chance that one is predicted correctly."""
    number = 1 + rng.negative_binomial(*OTHER_CLIPS, size=people)
    shares = rng.dirichlet(CONCENTRATION * SHARES, size=people)
    log_odds = SKILL + SKILL_SD * rng.standard_normal((people, 1))
    return number[:, None] * shares, 1 / (1 + np.exp(-log_odds))


def _chances(correct: Float[np.ndarray, "P K"]) -> Float[np.ndarray, "P K K"]:
    """Return the chance of each prediction (last axis): a wrong one is as frequent as its class."""
    chances = np.empty((*correct.shape, CLASSES))
    for k in range(CLASSES):
        others = SHARES / (1 - SHARES[k])
        chances[:, k] = (1 - correct[:, k, None]) * others
        chances[:, k, k] = correct[:, k]
    return chances


def _confusion_chances(
    correct: Float[np.ndarray, "P K"], clips: Float[np.ndarray, "P K"]
) -> Float[np.ndarray, "P K K"]:
    return clips[:, :, None] * _chances(correct)


def _predicted_counts(rng: np.random.Generator, people: int) -> Int[np.ndarray, "P K K"]:
    """Draw people, their clips and the predictions of them."""
    expected, correct = _people(rng, people)
    number = expected.sum(axis=1).round().astype(int)
    clips = rng.multinomial(number, expected / expected.sum(axis=1, keepdims=True))
    return rng.multinomial(clips, _chances(correct))


@dataclass(frozen=True)
class _Sample:
    """Clips of several people as Gaussian features."""

    features: Float[np.ndarray, "N D"]
    labels: Int[np.ndarray, "N"]
    person: Int[np.ndarray, "N"]
    people: int

    @staticmethod
    def draw(rng: np.random.Generator, people: int, means: Float[np.ndarray, "K D"]) -> "_Sample":
        number = 1 + rng.negative_binomial(*OTHER_CLIPS, size=people)
        shares = rng.dirichlet(CONCENTRATION * SHARES, size=people)
        clips = rng.multinomial(number, shares)
        person, label = np.indices(clips.shape)
        person, label = (np.repeat(part.ravel(), clips.ravel()) for part in (person, label))
        effect = PERSON_SD * rng.standard_normal((people, FEATURES))
        features = means[label] + effect[person] + rng.standard_normal((len(label), FEATURES))
        return _Sample(features, label, person, people)

    def sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return number of clips and sum of features of each person and class, and sum of products of each
        person."""
        number = np.zeros((self.people, CLASSES))
        total = np.zeros((self.people, CLASSES, FEATURES))
        products = np.zeros((self.people, FEATURES, FEATURES))
        np.add.at(number, (self.person, self.labels), 1)
        np.add.at(total, (self.person, self.labels), self.features)
        np.add.at(products, self.person, self.features[:, :, None] * self.features[:, None, :])
        return number, total, products

    def counts(
        self, model: tuple[np.ndarray, np.ndarray], model_of_person: Int[np.ndarray, "P"]
    ) -> Int[np.ndarray, "P K K"]:
        """Return the confusion matrix of each person, predicted by the person's model."""
        weights, bias = (part[model_of_person[self.person]] for part in model)
        predicted = (np.einsum("nkd,nd->nk", weights, self.features) + bias).argmax(axis=1)
        counts = np.zeros((self.people, CLASSES, CLASSES), dtype=int)
        np.add.at(counts, (self.person, self.labels, predicted), 1)
        return counts


def _fit(
    number: Float[np.ndarray, "F K"], total: Float[np.ndarray, "F K D"], products: Float[np.ndarray, "F D D"]
) -> tuple[Float[np.ndarray, "F K D"], Float[np.ndarray, "F K"]]:
    """Return weights and bias of LDA with equal priors for each fold. A class without clips is not chosen."""
    means = total / np.maximum(number, 1)[..., None]
    between = np.einsum("fk,fkd,fke->fde", number, means, means)
    degrees = np.maximum(number.sum(axis=1) - CLASSES, 1)
    covariance = (products - between) / degrees[:, None, None] + 0.1 * np.eye(FEATURES)
    weights = np.linalg.solve(covariance, means.transpose(0, 2, 1)).transpose(0, 2, 1)
    bias = -0.5 * np.einsum("fkd,fkd->fk", weights, means)
    return weights, np.where(number > 0, bias, -np.inf)


def main() -> None:
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    print(
        f"{'system':<18} {'people':>6}  {'measure':<9} {'true':>6} {'plain':>6} {'expanded':>8} {'wider':>6}"
    )
    for name, simulate in (("given predictions", given_predictions), ("trained anew", trained_anew)):
        for people in PEOPLE:
            found = simulate(people, samples)
            for index, measure in enumerate(MEASURES):
                values = (found.truth, found.plain, found.expanded, found.wider)
                true, plain, expanded, wider = (value[index] for value in values)
                print(
                    f"{name:<18} {people:>6}  {measure:<9} "
                    f"{true:>6.3f} {plain:>6.3f} {expanded:>8.3f} {wider:>6.2f}"
                )


if __name__ == "__main__":
    main()

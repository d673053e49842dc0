"""The lessons-learned survey: what members of teams say afterwards, never who said it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

SCALE = (1, 2, 3, 4, 5)
RATINGS = ("goals", "realism", "difficulty", "machines", "support", "useful")
"""Questions answered from 1, do not agree, to 5, fully agree."""
TEXTS = ("keep", "change", "learned")
"""Questions answered in words."""
MOST_TEXT = 2000
LEAST_ANSWERS = 5
"""With fewer answers nothing of them is shown: everybody in the room would know whose they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyAnswer:
    """What one member said; questions may be left out."""

    ratings: Mapping[str, int]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedQuestion:
    """A question: how many gave each number of SCALE, and their mean."""

    question: str
    counts: tuple[int, ...]
    mean: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyResults:
    """How many of whom answered; what they said only from LEAST_ANSWERS answers on.

    Words are in alphabetical order, so their place says nothing of who wrote them.
    """

    asked: int
    answered: int
    ratings: tuple[RatedQuestion, ...] = ()
    texts: Mapping[str, tuple[str, ...]] | None = None

    @property
    def shown(self) -> bool:
        """Whether there are enough answers to show any."""
        return self.texts is not None


def results(answers: Sequence[SurveyAnswer], *, asked: int) -> SurveyResults:
    """Return what answers of `asked` members say together."""
    if len(answers) < LEAST_ANSWERS:
        return SurveyResults(asked=asked, answered=len(answers))
    return SurveyResults(
        asked=asked,
        answered=len(answers),
        ratings=tuple(_rated(question, answers) for question in RATINGS),
        texts={
            question: tuple(sorted(a.texts[question] for a in answers if a.texts.get(question)))
            for question in TEXTS
        },
    )


def _rated(question: str, answers: Sequence[SurveyAnswer]) -> RatedQuestion:
    given = [a.ratings[question] for a in answers if question in a.ratings]
    return RatedQuestion(
        question=question,
        counts=tuple(given.count(number) for number in SCALE),
        mean=Fraction(sum(given), len(given)) if given else None,
    )

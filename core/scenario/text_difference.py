"""Which translated texts differ between two scenarios, for those who play them."""

from collections.abc import Iterator, Mapping

from core.scenario.load import LoadedScenario
from core.scenario.positions import Place, strings_of
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import QuestionTask
from core.scenario.translations import is_text

_SCRIPT = "script"  # what only an instructor reads


def changed_texts(
    before: LoadedScenario, after: LoadedScenario
) -> Iterator[tuple[str, Place, str, str]]:
    """Yield the language, the place, and what was and is read there, of what both have.

    Where both read the first language's text, for want of another, nothing is said.
    """
    first_before, first_after = _texts(before.scenario), _texts(after.scenario)
    for language, scenario in after.translations.items():
        if language not in before.translations:
            continue
        old, new = _texts(before.translations[language]), _texts(scenario)
        for place in new:
            was, is_now = old.get(place), new[place]
            if was is None or was == is_now:
                continue
            if (was, is_now) != (first_before.get(place), first_after.get(place)):
                yield language, place, was, is_now


def changed_answers(before: LoadedScenario, after: LoadedScenario) -> Iterator[tuple[str, str]]:
    """Yield the language and the task whose right answer is another there, and not in the first."""
    first_before, first_after = _answers(before.scenario), _answers(after.scenario)
    for language, scenario in after.translations.items():
        if language not in before.translations:
            continue
        old, new = _answers(before.translations[language]), _answers(scenario)
        for name in (name for name in new if name in old):
            if old[name] != new[name] and first_before[name] == first_after[name]:
                yield language, name


def _answers(scenario: Scenario) -> Mapping[str, object]:
    tasks = scenario.tasks.items()
    return {name: task.answer for name, task in tasks if isinstance(task, QuestionTask)}


def _texts(scenario: Scenario) -> Mapping[Place, str]:
    written = scenario.model_dump(by_alias=True)
    return {
        place: text
        for place, text in strings_of(written)
        if is_text(place) and place[-1] != _SCRIPT
    }

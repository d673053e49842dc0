"""What form of text a task asks for, and what to say to a text of another form.

Only what the author declared decides: the kind of answer and its `format`, the same for every team.
What is right never enters, so nothing of it can be told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.scenario.schema_answers import (
    AddressAnswer,
    AllOf,
    Answer,
    AnyOf,
    ChoiceAnswer,
    Equals,
    FileAnswer,
    HashAnswer,
    InstantAnswer,
    NetworkAnswer,
    NumberAnswer,
    RegexAnswer,
)
from core.scenario.schema_tasks import AnsweredTask, FlagTask
from scoring.domain.readings import address_in, digest_in, instant_in, network_in, numbers_in

_DIGITS = frozenset("0123456789abcdef")
_LENGTHS_OF_HASHES = frozenset({32, 40, 56, 64, 96, 128})


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is asked for, in words; `reads` tells whether a text can be that, `None`: any can."""

    words: str
    reads: Callable[[str], bool] | None = None

    def refuses(self, text: str) -> bool:
        """Tell whether a text cannot be what is asked for, whatever the right answer is."""
        return self.reads is not None and not self.reads(text)


def form_of(task: AnsweredTask) -> Form | None:
    """Return the form that a task asks for; `None` where its author declared none."""
    return Form(words="a flag") if isinstance(task, FlagTask) else _form(task.answer)


def form_hint(form: Form | None, text: str) -> str:
    """Return what to say of a text that is not right; nothing when its form tells nothing."""
    if form is None or (form.reads is not None and form.reads(text)):
        return ""
    look = _looks_like(text)
    if look:
        return f"That looks like {look}; {form.words} is asked for."
    return f"That cannot be read as {form.words}." if form.reads is not None else ""


def _form(answer: Answer | ChoiceAnswer) -> Form | None:
    match answer:
        case Equals() | RegexAnswer():
            return Form(words=answer.format) if answer.format is not None else None
        case AnyOf():
            return _one_of([_form(part) for part in answer.any])
        case AllOf():
            forms = [form for part in answer.all if (form := _form(part)) is not None]
            return next((form for form in forms if form.reads is not None), None)
        case _:
            return _FORMS.get(answer.kind)


def _one_of(forms: Sequence[Form | None]) -> Form | None:
    """Return the form of a text that may be any of these; unknown as soon as one of them is."""
    known = [form for form in forms if form is not None]
    if len(known) < len(forms):
        return None
    words = " or ".join(dict.fromkeys(form.words for form in known))
    readings = [form.reads for form in known if form.reads is not None]
    if len(readings) < len(known):
        return Form(words=words)
    return Form(words=words, reads=lambda text: any(reads(text) for reads in readings))


def _is_hex(text: str) -> bool:
    digits = digest_in(text)
    return bool(digits) and _DIGITS.issuperset(digits)


def _is_hash(text: str) -> bool:
    return _is_hex(text) and len(digest_in(text)) in _LENGTHS_OF_HASHES


def _is_address(text: str) -> bool:
    return address_in(text) is not None


def _is_network(text: str) -> bool:
    return "/" in text and network_in(text) is not None


def _is_time(text: str) -> bool:
    return instant_in(text) is not None


def _is_number(text: str) -> bool:
    return bool(numbers_in(text))


_FORMS = {
    NumberAnswer.kind: Form(words="a number", reads=_is_number),
    InstantAnswer.kind: Form(words="a time", reads=_is_time),
    AddressAnswer.kind: Form(words="an IP address", reads=_is_address),
    # An address alone may be a network of one; whoever sends it may well mean that.
    NetworkAnswer.kind: Form(words="a network", reads=lambda t: network_in(t) is not None),
    HashAnswer.kind: Form(words="a hash", reads=_is_hex),
    FileAnswer.kind: Form(words="a hash", reads=_is_hex),
}
_LOOKS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("a hash", _is_hash),
    ("a network", _is_network),
    ("an IP address", _is_address),
    ("a number", _is_number),
    ("a time", _is_time),
)


def _looks_like(text: str) -> str:
    return next((words for words, is_one in _LOOKS if is_one(text)), "")

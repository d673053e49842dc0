"""What differs between two scenarios for those who play them, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from core.scenario.folder import Folder, digest_of
from core.scenario.load import LoadedScenario
from core.scenario.positions import Place
from core.scenario.saying import both_in_words, data_of, in_words
from core.scenario.schema import Host, Scenario
from core.scenario.schema_rubrics import Rubric
from core.scenario.text_difference import changed_answers, changed_texts

_Data = Mapping[str, Any]

_THINGS: Mapping[str, str] = MappingProxyType(
    {
        "competencies": "competency",
        "roles": "role",
        "values": "value",
        "networks": "network",
        "hosts": "host",
        "checks": "check",
        "objectives": "objective",
        "tasks": "task",
        "rubrics": "rubric",
        "injects": "inject",
        "services": "service",
    }
)
# {new} and {old} are as a reader would say them; a key that is not here is named as it is.
_SAYINGS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("tasks", "points"): "gives {new} points instead of {old}",
        ("tasks", "ask"): "asks {new} instead of {old}",
        ("tasks", "answer"): "has another right answer",
        ("tasks", "flag"): "wants the flag {new} instead of {old}",
        ("tasks", "attempts"): "allows {new} attempts instead of {old}",
        ("tasks", "cooldown"): "waits {new} after a wrong answer instead of {old}",
        ("tasks", "wrong_cost"): "takes {new} points for a wrong answer instead of {old}",
        ("tasks", "late"): "gives less when it is late: {new} instead of {old}",
        ("tasks", "checks"): "is judged by {new} instead of {old}",
        ("tasks", "opens"): "opens differently: {new} instead of {old}",
        ("tasks", "rubric"): "is marked by {new} instead of {old}",
        ("tasks", "feed"): "gets its points from elsewhere: {new} instead of {old}",
        ("tasks", "submit"): "takes another file: {new} instead of {old}",
        ("tasks", "due"): "is due differently: {new} instead of {old}",
        ("rubrics", "assessors"): "has {new} assessors instead of {old}",
        ("rubrics", "moderate_if_apart"): "is moderated from {new} apart instead of {old}",
        ("networks", "size"): "has the size /{new} instead of /{old}",
        ("hosts", "accounts"): "has other accounts",
        ("hosts", "networks"): "is on {new} instead of {old}",
        ("hosts", "image"): "runs the image {new} instead of {old}",
        ("hosts", "limits"): "may use {new} instead of {old}",
        ("hosts", "record"): "is recorded differently: {new} instead of {old}",
        ("hosts", "hidden"): "is hidden: {new} instead of {old}",
        ("injects", "at"): "goes out at {new} instead of {old}",
        ("injects", "wait"): "waits {new} instead of {old}",
        ("injects", "cost"): "costs {new} points instead of {old}",
        ("injects", "expect"): "expects something else: {new} instead of {old}",
        ("injects", "run"): "runs something else",
        ("checks", "run"): "looks at something else",
        ("checks", "smtp"): "wants something else of the mail server",
        ("checks", "ssh"): "wants something else of the SSH server",
        ("checks", "sql"): "wants something else of the database",
        ("checks", "evidence"): "wants something else to have happened",
        ("checks", "hold"): "must hold for {new} instead of {old}",
        ("checks", "every"): "looks every {new} instead of {old}",
        ("checks", "show_output"): "shows teams what it printed: {new} instead of {old}",
        ("services", "host"): "runs on {new} instead of {old}",
        ("services", "network"): "is attacked over {new} instead of {old}",
        ("services", "port"): "listens on port {new} instead of {old}",
        ("services", "flag"): "keeps other flags: {new} instead of {old}",
        ("end", "freeze"): "the board freezes at {new} instead of {old}",
        ("end", "grace"): "after the end files are taken for {new} instead of {old}",
        ("privacy", "recordings"): "recordings are kept for {new} instead of {old}",
        ("values", "*"): "is drawn differently: evidence and answers are others",
    }
)
_ANYWHERE: Mapping[str, str] = MappingProxyType(
    {
        "title": "is called {new} instead of {old}",
        "message": "says something else: {new} instead of {old}",
    }
)
_OF_CRITERIA: Mapping[str, str] = MappingProxyType(
    {
        "title": "calls {name} {new} instead of {old}",
        "weight": "weighs {name} {new} instead of {old}",
        "levels": "has other levels of {name}: {new} instead of {old}",
    }
)
# What a trainee neither reads nor meets.
_UNSEEN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "scenario": frozenset({"version", "authors", "licence", "languages"}),
        "hosts": frozenset({"files", "build", "ready"}),
        "injects": frozenset({"script", "late", "timeout"}),
        "checks": frozenset({"timeout"}),
        "services": frozenset({"checker"}),
        "rubrics": frozenset({"criteria"}),  # told one by one
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is another: of which section, of what in it, and a sentence."""

    section: str
    name: str
    text: str


def differences(before: LoadedScenario, after: LoadedScenario) -> tuple[Difference, ...]:
    """Return what changed for trainees from one scenario to the other, in the order of the file.

    What only an author or an instructor sees (versions, the solution, scripts) is left out.
    """
    return tuple(_differences(before, after))


def _differences(before: LoadedScenario, after: LoadedScenario) -> Iterator[Difference]:
    old, new = before.scenario, after.scenario
    for key, was, is_now in _changed("scenario", data_of(old.scenario), data_of(new.scenario)):
        said, now_said = both_in_words(was, is_now)
        text = f"the {key.replace('_', ' ')} is {now_said} instead of {said}"
        yield Difference(section="scenario", name=key, text=text)
    yield from _rounds(old, new)
    for section, thing in _THINGS.items():
        yield from _section(section, thing, getattr(old, section), getattr(new, section))
        if section == "hosts":
            yield from _contents(before, after)
    for name, rubric in new.rubrics.items():
        for text in _criteria(old.rubrics[name], rubric) if name in old.rubrics else ():
            yield Difference(section="rubrics", name=name, text=f"the rubric {name} {text}")
    for section, part in (("end", new.end), ("privacy", new.privacy)):
        for key, was, is_now in _changed(section, data_of(getattr(old, section)), data_of(part)):
            said, now_said = both_in_words(was, is_now)
            text = _SAYINGS[section, key].format(new=now_said, old=said)
            yield Difference(section=section, name=key, text=text)
    for section, verb in (("flows", "may begin"), ("access", "logs in")):
        yield from _list(section, verb, getattr(old, section), getattr(new, section))
    yield from _texts(before, after)


def _rounds(old: Scenario, new: Scenario) -> Iterator[Difference]:
    was, is_now = (one.rounds.every if one.rounds is not None else None for one in (old, new))
    if was != is_now:
        text = f"a round lasts {in_words(is_now)} instead of {in_words(was)}"
        yield Difference(section="rounds", name="every", text=text)
    if old.scoring != new.scoring:
        text = f"rounds are scored as {new.scoring.preset} instead of {old.scoring.preset}"
        yield Difference(section="scoring", name="preset", text=text)


def _section(
    section: str, thing: str, old: Mapping[str, BaseModel], new: Mapping[str, BaseModel]
) -> Iterator[Difference]:
    for name in old:
        if name not in new:
            text = f"the {thing} {name} is gone"
            yield Difference(section=section, name=name, text=text)
    for name, item in new.items():
        if name not in old:
            text = f"the {thing} {name} is new{_described(section, data_of(item))}"
            yield Difference(section=section, name=name, text=text)
            continue
        changed = list(_changed(section, data_of(old[name]), data_of(item)))
        whole = _SAYINGS.get((section, "*"))
        if changed and whole is not None:
            text = f"the {thing} {name} {whole}"
            yield Difference(section=section, name=name, text=text)
            continue
        for key, was, is_now in changed:
            saying = _SAYINGS.get((section, key)) or _ANYWHERE.get(key)
            saying = saying or f"has another `{key}`: {{new}} instead of {{old}}"
            before, after = both_in_words(was, is_now)
            said = saying.format(new=after, old=before)
            yield Difference(section=section, name=name, text=f"the {thing} {name} {said}")


def _described(section: str, data: _Data) -> str:
    if section == "tasks":
        return f", for {data['points']} points"
    return f": {in_words(data['title'])}" if data.get("title") else ""


def _list(
    section: str, verb: str, old: tuple[BaseModel, ...], new: tuple[BaseModel, ...]
) -> Iterator[Difference]:
    was, is_now = ([data_of(item) for item in items] for items in (old, new))
    for item in was:
        if item not in is_now:
            yield Difference(
                section=section, name="", text=f"nobody {verb} any more: {in_words(item)}"
            )
    for item in is_now:
        if item not in was:
            yield Difference(
                section=section, name="", text=f"somebody {verb} now: {in_words(item)}"
            )


def _texts(before: LoadedScenario, after: LoadedScenario) -> Iterator[Difference]:
    """Yield what differs in languages other than the first."""
    old, new = before.translations, after.translations
    for language in (*old, *(name for name in new if name not in old)):
        if language not in new or language not in old:
            text = f"it can be read in {language}{'' if language in new else ' no more'}"
            yield Difference(section="text", name=language, text=text)
    for language, place, was, is_now in changed_texts(before, after):
        said, now_said = both_in_words(was, is_now)
        text = f"in {language}, {_named(place)} is {now_said} instead of {said}"
        yield Difference(section="text", name=language, text=text)
    for language, name in changed_answers(before, after):
        text = f"in {language}, the task {name} has another right answer"
        yield Difference(section="text", name=language, text=text)


def _named(place: Place) -> str:
    section, name, *steps = map(str, place)
    if not steps:
        return f"the {name}"
    if steps[0] == "hints":
        steps = ["hint", str(int(steps[1]) + 1)]
    return f"the {' '.join(steps)} of the {_THINGS[section]} {name}"


def _criteria(old: Rubric, new: Rubric) -> Iterator[str]:
    yield from (
        f"has no criterion {name} any more" for name in old.criteria if name not in new.criteria
    )
    for name, criterion in new.criteria.items():
        was = old.criteria.get(name)
        if was is None:
            yield f"has a new criterion, {name}"
            continue
        for key, before, after in _changed("criterion", data_of(was), data_of(criterion)):
            said, now_said = both_in_words(before, after)
            yield _OF_CRITERIA[key].format(name=name, new=now_said, old=said)


def _contents(before: LoadedScenario, after: LoadedScenario) -> Iterator[Difference]:
    """Yield what differs in the files and images of hosts that both have."""
    for name, host in after.scenario.hosts.items():
        was = before.scenario.hosts.get(name)
        if was is None:
            continue
        for text in (*_files(before, was, after, host), *_image(before, was, after, host)):
            yield Difference(section="hosts", name=name, text=f"the host {name} {text}")


def _files(before: LoadedScenario, was: Host, after: LoadedScenario, host: Host) -> Iterator[str]:
    old = {file.to: _content(before, file) for file in was.files}
    new = {file.to: _content(after, file) for file in host.files}
    yield from (f"has no {path} any more" for path in old if path not in new)
    yield from (f"has a new file, {path}" for path in new if path not in old)
    yield from (f"has another {path}" for path in new if path in old and old[path] != new[path])


def _content(loaded: LoadedScenario, file: BaseModel) -> object:
    """Return all that decides on a file: what is written of it, and what it is made from."""
    data = data_of(file)
    sources = [data[key] for key in ("from", "template") if data.get(key)]
    return data, [loaded.read(source) for source in sources]


def _image(before: LoadedScenario, was: Host, after: LoadedScenario, host: Host) -> Iterator[str]:
    if was.build is None or host.build is None:
        if was.build != host.build:
            yield "gets its image from elsewhere"
        return
    old, new = (
        digest_of(Folder(loaded.folder / build.context).entries())
        for loaded, build in ((before, was.build), (after, host.build))
    )
    if old != new:
        yield "is built differently: its image has other contents"


def _changed(section: str, old: _Data, new: _Data) -> Iterator[tuple[str, object, object]]:
    for key in dict.fromkeys((*new, *old)):
        if key not in _UNSEEN.get(section, ()) and old.get(key) != new.get(key):
            yield key, old.get(key), new.get(key)

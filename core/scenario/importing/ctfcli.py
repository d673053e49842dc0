"""CTF challenges as ctfcli keeps them: a task, its flags as answers, its files in a message."""

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from core.patterns import require_pattern
from core.scenario.fields import is_template
from core.scenario.importing.draft import Draft
from core.scenario.importing.image import IMAGE, Image, exposed_port, read_dockerfile
from core.scenario.importing.reading import is_off, text_of, texts_of, whole_of
from core.scenario.importing.service import Service, finish
from core.scenario.importing.source import WHY_NOT, Found
from core.scenario.importing.stage import begin, desk, size_networks
from core.scenario.importing.texts import file_name, literal, title

_TASK = "challenge"
_HOST = "target"
_NETWORK = "range"
_LONGEST_TEXT = 18_000
_LONGEST_HINT = 4_000
_MOST_HINTS = 20
_MOST_POINTS = 100_000
_MOST_ATTEMPTS = 1000
_FILES_A_MESSAGE = 10
_MOST_FILES = 100
_ELSEWHERE = re.compile(r"^(?:docker|registry)://")
_ODD = re.compile(r"[^\w .()+-]+")
_LONGEST_NAME = 90
_OTHERS = {
    "attribution": "name whom it credits in authors",
    "category": "decide which competency it trains",
    "healthcheck": "its script speaks to an address; write a check instead",
    "next": "which challenge comes after it is for a scenario of several tasks",
    "requirements": "which challenges come before it is for a scenario of several tasks",
    "solution": "write solution/play.sh after it",
    "tags": "decide which competency it trains",
    "topics": "decide which competency it trains",
}
_NO_PART = {
    "host": "where it is deployed is the site's decision",
    "id": "its name is the folder's",
    "module": "it groups challenges",
    "protocol": "its port tells",
    "state": "who sees it is decided at launch",
    "version": "the form of the file, not of its content",
}
_READ = frozenset(
    {
        "attempts",
        "author",
        "connection_info",
        "description",
        "extra",
        "files",
        "flags",
        "hints",
        "image",
        "logic",
        "name",
        "type",
        "value",
    }
)


def recognises(data: Mapping[str | int, object]) -> bool:
    """Tell whether this is a challenge."""
    tells = {"flags", "value", "category", "description"} & set(map(str, data))
    return text_of(data.get("name")) is not None and len(tells) >= 2  # noqa: PLR2004  # two of them


def bring_in(draft: Draft, data: Mapping[str | int, object], *, name: str, shown: str) -> None:
    """Make a draft of a challenge."""
    begin(draft, name=name, title=title(text_of(data.get("name")) or shown, otherwise=name))
    author = text_of(data.get("author"))
    if author and author.strip():
        draft.data["scenario"]["authors"] = [{"name": title(author, otherwise="?")}]
        draft.carried(("author",))
    _take_image(draft, data)
    _take_task(draft, data)
    _take_messages(draft, data)
    _take_others(draft, data)


def _take_image(draft: Draft, data: Mapping[str | int, object]) -> None:
    value = data.get("image")
    if is_off(value):
        return
    host = Service(draft=draft, place=("image",), name=_HOST, image=Image(("image",)))
    reference = _ELSEWHERE.sub("", text_of(value) or "")
    found = draft.source.look(reference)
    if found is Found.FOLDER and reference == value:
        host.image.folder = reference
        path = posixpath.join(reference, "Dockerfile")
        host.image.dockerfile = read_dockerfile(draft, ("image",), path)
        port = exposed_port(host.image.dockerfile)
        host.exposed += [port] if port is not None else []
    elif found in {Found.LINK, Found.OUTSIDE} or not IMAGE.fullmatch(reference):
        why = WHY_NOT.get(found, "it is not the name of an image")
        draft.refuse(("image",), f"{reference!r}: {why}"[:200])
        return
    else:
        host.image.reference = reference
    draft.data |= {"networks": {_NETWORK: {}}, "hosts": {}}
    finish(host, {_NETWORK: {}})
    draft.data["hosts"][_HOST]["title"] = "The target"
    desk(draft, [_NETWORK])
    size_networks(draft)
    draft.carried(("image",))


def _take_task(draft: Draft, data: Mapping[str | int, object]) -> None:
    flags = _flags(draft, data)
    task: dict[str, Any] = {"title": literal(title(str(data["name"]), otherwise=_TASK))}
    description = (text_of(data.get("description")) or "").strip()
    if len(description) > _LONGEST_TEXT:
        draft.refuse(("description",), f"it is longer than {_LONGEST_TEXT} characters")
    task["ask"] = literal(description) or "Find the flag."
    if not flags:
        return
    task["answer"] = flags[0] if len(flags) == 1 else {"any": flags}
    task["points"] = _points(draft, data)
    attempts = whole_of(data.get("attempts"), most=_MOST_ATTEMPTS)
    if attempts is not None:
        task["attempts"] = attempts
        draft.carried(("attempts",))
    hints = _hints(draft, data)
    if hints:
        task["hints"] = hints
    draft.data["tasks"] = {_TASK: task}
    place = ("tasks", _TASK)
    draft.todo(
        place,
        "every team has the same flag, so it does not tell who passed it on; make it a value of "
        "the type flag if the target can take one",
    )
    if not is_off(data.get("connection_info")):
        shown = text_of(data["connection_info"]) or ""
        draft.changed(
            ("connection_info",), "addresses are the site's, and differ from team to team"
        )
        draft.todo(place, f"say how to reach it; the file says: {shown}"[:300])


def _flags(draft: Draft, data: Mapping[str | int, object]) -> list[dict[str, Any]]:
    listed = data.get("flags")
    flags: list[dict[str, Any]] = []
    left_out: list[str] = []
    for index, flag in enumerate(listed if isinstance(listed, tuple) else ()):
        place = ("flags", index)
        parts = flag if isinstance(flag, dict) else {"content": flag}
        content = text_of(parts.get("content", parts.get("flag")))
        kind = text_of(parts.get("type", "static"))
        if not content or not content.strip() or len(content) > _LONGEST_TEXT:
            draft.refuse(place, "it has no content")
            continue
        answer = _answer(kind, content, folds=parts.get("data") == "case_insensitive")
        if isinstance(answer, str):
            draft.dropped(place, answer[:300])
            left_out.append(f"{kind}: {content}")
        else:
            flags.append(answer)
            draft.carried(place)
    if left_out and not flags:
        draft.refuse(("flags",), "no flag of it is a text or an expression of the language")
    for text in left_out:
        draft.todo(("tasks", _TASK), f"this was right, too: {text}"[:300])
    if not is_off(data.get("logic")) and data.get("logic") != "any" and len(flags) > 1:
        draft.refuse(("logic",), "a task has one right answer, or any of several")
    return flags


def _answer(kind: str | None, content: str, *, folds: bool) -> dict[str, Any] | str:
    """Return a flag as an answer of the language, or why it cannot be one."""
    if kind == "static":
        fold = ["case", "space"] if folds else ["space"]
        return {"equals": literal(content), "fold": fold}
    if kind != "regex":
        return f"an answer of the kind {kind} is not in the language"
    if is_template(content) or "{%" in content:
        return "two braces, or one before %, stand for a template in an expression"
    pattern = f"(?i){content}" if folds else content
    try:
        require_pattern(pattern)
    except ValueError as error:
        return str(error)
    return {"regex": pattern}


def _points(draft: Draft, data: Mapping[str | int, object]) -> int:
    extra = data.get("extra")
    more = extra if isinstance(extra, dict) else {}
    kind = text_of(data.get("type")) or "standard"
    if kind != "standard":
        draft.changed(("type",), f"{kind}: its points stay what they are at the beginning")
    first = data.get("value", more.get("initial", more.get("value")))
    value = whole_of(first, least=0, most=_MOST_POINTS)
    if value is None:
        draft.dropped(("value",), "there is no number of points; it gives 100")
        draft.todo(("tasks", _TASK), "decide how many points it gives")
        return 100
    draft.carried(("value",))
    return value


def _hints(draft: Draft, data: Mapping[str | int, object]) -> list[dict[str, Any]]:
    listed = data.get("hints")
    if not is_off(listed) and not isinstance(listed, tuple):
        draft.dropped(("hints",), "it is not a list")
    hints: list[dict[str, Any]] = []
    for index, hint in enumerate(listed if isinstance(listed, tuple) else ()):
        place = ("hints", index)
        parts = hint if isinstance(hint, dict) else {"content": hint}
        content = (text_of(parts.get("content")) or "").strip()
        cost = whole_of(parts.get("cost", 0), least=0, most=_MOST_POINTS)
        if not content or len(content) > _LONGEST_HINT or len(hints) == _MOST_HINTS:
            why = f"a task has {_MOST_HINTS} hints at most, of 1 to {_LONGEST_HINT} characters"
            draft.dropped(place, why)
            draft.todo(("tasks", _TASK), f"there was another hint: {content}"[:300])
            continue
        hints.append({"text": literal(content)} | ({"cost": cost} if cost else {}))
        if cost is None:
            draft.changed(place, "what it costs is no number; it costs nothing")
        else:
            draft.carried(place)
    return hints


def _take_messages(draft: Draft, data: Mapping[str | int, object]) -> None:
    paths = texts_of(data.get("files") or ())
    if paths is None or len(paths) > _MOST_FILES:
        draft.refuse(("files",), f"it is not a list of paths, {_MOST_FILES} at most")
        return
    attached: list[dict[str, str]] = []
    for index, path in enumerate(paths):
        found = draft.source.look(path)
        if found is not Found.FILE:
            why = WHY_NOT.get(found, "it is a folder")
            draft.refuse(("files", index), f"{path}: {why}"[:300])
            continue
        shown = _file_name(path, {file["name"] for file in attached})
        kept = f"files/{index}-{file_name(path)}"
        if draft.copy(("files", index), path, kept):
            attached.append({"from": kept, "name": shown})
            draft.carried(("files", index))
    description = (text_of(data.get("description")) or "").strip()[:_LONGEST_TEXT]
    first: dict[str, Any] = {"to": "all", "text": literal(description) or "Find the flag."}
    messages = [first]
    for start in range(0, len(attached), _FILES_A_MESSAGE):
        if start:
            messages.append({"to": "all", "text": "More files."})
        messages[-1]["files"] = attached[start : start + _FILES_A_MESSAGE]
    draft.data["injects"] = {
        ("brief" if number == 0 else f"files-{number + 1}"): {"at": "0m", "message": message}
        for number, message in enumerate(messages)
    }
    if "tasks" not in draft.data:
        draft.todo(("injects",), "the file names no flag; decide what is asked and what is right")


def _file_name(path: str, taken: set[str]) -> str:
    clean = _ODD.sub("-", posixpath.basename(path))[-_LONGEST_NAME:].strip()
    name, number = clean or "file", 1
    while name in taken:
        number += 1
        name = f"{number}-{clean}"
    return name


def _take_others(draft: Draft, data: Mapping[str | int, object]) -> None:
    where = ("tasks",) if "tasks" in draft.data else ("injects",)
    if is_off(data.get("image")) and not is_off(data.get("connection_info")):
        draft.todo(where, "what it connects to is not in this file; bring it in as a host")
    for key, value in data.items():
        if key in _READ or is_off(value):
            continue
        if key in _OTHERS:
            shown = ", ".join(texts_of(value) or ())
            draft.dropped((key,), _OTHERS[str(key)])
            draft.todo(where, f"{_OTHERS[str(key)]}: {shown}"[:300])
        else:
            draft.dropped((key,), _NO_PART.get(str(key), "this key is not known"))

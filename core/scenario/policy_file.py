"""From a site's policy file to the policy, or to every reason why not, each with its line."""

from pathlib import Path

from pydantic import ValidationError

from core.errors import Fault, PoligonError
from core.scenario.load import Problem, problems_of
from core.scenario.positions import Finding
from core.scenario.schema_errors import findings_of
from core.scenario.site_policy import NOTHING_PERMITTED, PolicyFile, SitePolicy
from core.scenario.yaml_reader import Document, read


class PolicyInvalidError(PoligonError):
    """The file of the site's policy is missing or has errors; nothing starts with it."""

    code = "policy.invalid"
    fault = Fault.INPUT

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first, *others = map(str, problems)
        super().__init__(
            f"the site's policy is not usable: {first}",
            hint="\n".join((*others, "Correct it, or leave POLIGON_POLICY empty")),
        )
        self.problems = problems


def read_policy(path: Path | None) -> SitePolicy:
    """Return the policy in a file; without one nothing is permitted. Raises PolicyInvalidError."""
    if path is None:
        return NOTHING_PERMITTED
    document = _read(path)
    policy, findings = _parsed(document)
    if policy is None or findings:
        raise PolicyInvalidError(problems_of(findings, document, path))
    places = (document.positions.of_value(("allow", i)) for i in range(len(policy.allow)))
    return SitePolicy(
        allow={
            f"{path.name}:{mark.line}:{mark.column}": grant
            for mark, grant in zip(places, policy.allow, strict=True)
        },
        quota=policy.quota,
    )


def _read(path: Path) -> Document:
    try:
        return read(path.read_bytes())
    except OSError as error:
        return Document(findings=[Finding(message=f"it cannot be read: {error.strerror}")])


def _parsed(document: Document) -> tuple[PolicyFile | None, list[Finding]]:
    if not document.readable:
        return None, document.findings
    try:
        return PolicyFile.model_validate(document.data), document.findings
    except ValidationError as error:
        return None, [*document.findings, *findings_of(error, document.data, PolicyFile)]

"""A scenario as one team meets it: its texts, right answers and probes, rendered."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from ipaddress import IPv4Address
from typing import Self, assert_never

from core.scenario import schema_answers, schema_checks, schema_tasks
from core.scenario.access import accounts_shown, entries_for
from core.scenario.fields import require_sha256
from core.scenario.load import LoadedScenario
from core.scenario.render import Renderer, TeamFacts
from core.scenario.schema import Scenario
from core.scenario.template import TemplateFailedError
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.record import notice
from scoring.checks import probes
from scoring.checks.checkers import TeamService
from scoring.domain import answers
from scoring.errors import TaskUnknownError
from scoring.ports import Exercises


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedHost:
    """A host of which something is kept, and the sentence that says what."""

    host: str
    title: str
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPassword:
    """The password of an account on a host, as a role is shown it."""

    host: str
    title: str
    account: str
    password: str


def task_of(scenario: Scenario, name: str) -> schema_tasks.Task:
    """Return a task of a scenario; raises TaskUnknownError."""
    if name not in scenario.tasks:
        known = ", ".join(scenario.tasks)
        raise TaskUnknownError(f"there is no task {name[:50]!r}", hint=f"The tasks are {known}")
    return scenario.tasks[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamScenario:
    """The scenario, and what is rendered for the team when it is needed."""

    scenario: Scenario
    texts: Scenario
    """The same in the language of whoever reads."""
    translations: Mapping[str, Scenario]
    """The same in every other language."""
    facts: TeamFacts
    renderer: Renderer

    @classmethod
    def of(
        cls, exercises: Exercises, exercise: Exercise, team: Team, *, language: str = ""
    ) -> Self:
        """Return an exercise's scenario as `team` meets it; `` for its first language."""
        facts = exercises.facts(exercise, team)
        return cls.known(exercises.scenario(exercise), facts, language=language)

    @classmethod
    def known(cls, loaded: LoadedScenario, facts: TeamFacts, *, language: str = "") -> Self:
        """Return a scenario as a team meets it of whom this is known."""
        return cls(
            scenario=loaded.scenario,
            texts=loaded.in_language(language),
            translations=loaded.translations,
            facts=facts,
            renderer=Renderer(loaded, facts),
        )

    def shown(self, text: str) -> str:
        """Return a text for people; as it is written until the addresses in it are given."""
        try:
            return self.renderer.text(text)
        except TemplateFailedError:
            return text

    def task(self, name: str) -> schema_tasks.Task:
        """Return a task; raises TaskUnknownError."""
        return task_of(self.scenario, name)

    def hints(self, name: str) -> tuple[schema_tasks.Hint, ...]:
        """Return the hints of a task, as they are written in the reader's language."""
        task = self.texts.tasks[name]
        return task.hints if isinstance(task, schema_tasks.SolvableTask) else ()

    def title(self, task: str) -> str:
        """Return a task's title; its id when it has none."""
        return self.shown(self.texts.tasks[task].title or task)

    def source(self, name: str) -> str:
        """Return what gives the points of a task that is fed; nothing for any other."""
        task = self.texts.tasks[name]
        return task.feed.source if isinstance(task, schema_tasks.FeedTask) else ""

    def ask(self, task: str) -> str:
        """Return what a task asks; nothing when its title says it all."""
        return self.shown(self.texts.tasks[task].ask or "")

    def checks_of(self, task: schema_tasks.Task) -> tuple[str, ...]:
        """Return the checks that decide on a task."""
        match task:
            case schema_tasks.ChecksTask():
                return task.checks
            case schema_tasks.AvailabilityTask():
                return (task.availability,)
            case schema_tasks.GuardTask():
                return (task.guard,)
            case _:
                return ()

    def right_answer(
        self, name: str, task: schema_tasks.QuestionTask | schema_tasks.FlagTask
    ) -> answers.Answer:
        """Return what is right for this team, in any language; raises TemplateFailedError."""
        if isinstance(task, schema_tasks.FlagTask):
            return answers.SecretAnswer(secret=str(self.facts.values[task.flag]))
        here = (scenario.tasks[name] for scenario in self.translations.values())
        translated = [t.answer for t in here if isinstance(t, schema_tasks.QuestionTask)]
        others = [answer for answer in translated if answer != task.answer]
        if not others:
            return self._answer(task.answer)
        return answers.AnyAnswer(options=tuple(map(self._answer, (task.answer, *others))))

    def _answer(  # noqa: C901, PLR0911, PLR0912  # a line for each kind
        self, answer: schema_answers.Answer | schema_answers.ChoiceAnswer
    ) -> answers.Answer:
        renderer = self.renderer
        match answer:
            case schema_answers.Equals():
                return answers.TextAnswer(text=renderer.text(answer.equals), fold=_folds(answer))
            case schema_answers.NumberAnswer():
                number = Fraction(str(renderer.number(answer.number)))
                return answers.NumberAnswer(number=number, within=_tolerance(answer.within, number))
            case schema_answers.InstantAnswer():
                at = renderer.instant(answer.instant)
                return answers.InstantAnswer(at=at, within=answer.within)
            case schema_answers.AddressAnswer():
                address = renderer.read(answer.ip, schema_answers.parse_address)
                return answers.AddressAnswer(address=address)
            case schema_answers.NetworkAnswer():
                network = renderer.read(answer.cidr, schema_answers.parse_network)
                return answers.NetworkAnswer(network=network)
            case schema_answers.HashAnswer():
                digits = renderer.read(answer.hash, schema_answers.parse_digest)
                return answers.DigestAnswer(digits=digits)
            case schema_answers.FileAnswer():
                hashes = (renderer.digest(answer.file, algorithm) for algorithm in answer.by)
                options = tuple(answers.DigestAnswer(digits=digits) for digits in hashes)
                return answers.AnyAnswer(options=options)
            case schema_answers.RegexAnswer():
                return answers.PatternAnswer(pattern=renderer.pattern(answer.regex))
            case schema_answers.ChoiceAnswer():
                option = renderer.read(answer.choice, answer.option)
                return answers.TextAnswer(text=option, fold=frozenset())
            case schema_answers.AnyOf():
                return answers.AnyAnswer(options=tuple(map(self._answer, answer.any)))
            case schema_answers.AllOf():
                return answers.AllAnswer(options=tuple(map(self._answer, answer.all)))
            case schema_answers.SetOf():
                return answers.SetAnswer(items=tuple(map(self._answer, answer.set)))
            case schema_answers.ListOf():
                return answers.ListAnswer(items=tuple(map(self._answer, answer.list)))
            case _:
                assert_never(answer)

    def passwords(self, role: str) -> tuple[ShownPassword, ...]:
        """Return what a role is shown to log in with on the team's hosts."""
        return tuple(
            ShownPassword(
                host=host,
                title=self.shown(self.texts.hosts[host].title or host),
                account=self.shown(account.name),
                password=self.shown(account.password or ""),
            )
            for host, account in accounts_shown(self.scenario, role)
        )

    def recorded(self, role: str) -> tuple[RecordedHost, ...]:
        """Return the hosts that a role enters and of which something is kept, and what."""
        hosts = dict.fromkeys(entry.host for entry in entries_for(self.scenario, role))
        titles = {host: self.shown(self.texts.hosts[host].title or host) for host in hosts}
        told = {host: notice(self.scenario.hosts[host].record) for host in hosts}
        return tuple(
            RecordedHost(host=host, title=titles[host], notice=told[host])
            for host in hosts
            if told[host]
        )

    def options(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return what a task's answer is chosen from, each with its text; nothing for others."""
        task = self.texts.tasks[name]
        if not isinstance(task, schema_tasks.QuestionTask):
            return ()
        if not isinstance(task.answer, schema_answers.ChoiceAnswer):
            return ()
        return tuple((option, self.shown(text)) for option, text in task.answer.of.items())

    def look(self, check: schema_checks.Check) -> probes.Look:
        """Return how to carry a check out for this team; raises TemplateFailedError."""
        return probes.Look(host=check.place, probe=self._probe(check), timeout=check.timeout)

    def service(self, name: str, *, exercise: Exercise, image: str) -> TeamService:
        """Return a service of this team as its checker meets it; `image` is the checker's."""
        service = self.scenario.services[name]
        return TeamService(
            exercise=exercise.id,
            network=service.network,
            address=self.facts.addresses[service.host][service.network],
            port=service.port,
            image=image,
            command=tuple(self.renderer.text(word) for word in service.checker.run),
            timeout=service.checker.timeout,
        )

    def _probe(self, check: schema_checks.Check) -> probes.Probe:
        text = self.renderer.text
        if check.run is not None:
            return probes.CommandProbe(command=tuple(text(word) for word in check.run))
        if check.http is not None:
            contains = check.http.contains
            return probes.HttpProbe(
                url=text(check.http.url),
                method=check.http.method,
                status=self.renderer.integer(check.http.status),
                contains=text(contains) if contains is not None else None,
                verify=check.http.verify,
                ca=self.renderer.as_it_is(check.http.ca) if check.http.ca is not None else "",
            )
        if check.dns is not None:
            return self._dns(check.place, check.dns)
        if check.file is not None:
            return self._file(check.file)
        return self._server_probe(check) if check.servers else self._port(check)

    def _port(self, check: schema_checks.Check) -> probes.Probe:
        if isinstance(check.tcp, schema_checks.TcpPeer):
            return self._peer(check.place, check.tcp)
        assert check.tcp is not None  # a check has exactly one probe
        return probes.OwnPortProbe(port=self.renderer.port(check.tcp))

    def _server_probe(self, check: schema_checks.Check) -> probes.ServerProbe:
        if check.smtp is not None:
            return self._smtp(check.place, check.smtp)
        if check.ssh is not None:
            return self._ssh(check.place, check.ssh)
        assert check.sql is not None  # one of the three
        return self._sql(check.place, check.sql)

    def _file(self, file: schema_checks.FileProbe) -> probes.FileProbe:
        text = self.renderer.text
        return probes.FileProbe(
            path=text(file.path),
            absent=file.absent,
            min_size=file.min_size or 0,
            max_size=file.max_size,
            contains=text(file.contains) if file.contains is not None else None,
            sha256=self.renderer.read(file.sha256, require_sha256) if file.sha256 else None,
            owner=text(file.owner) if file.owner is not None else None,
        )

    def _peer(self, place: str, peer: schema_checks.TcpPeer) -> probes.PeerPortProbe:
        address = self._seen_from(place, peer.host)
        return probes.PeerPortProbe(address=address, port=self.renderer.port(peer.port))

    def _dns(self, place: str, dns: schema_checks.DnsProbe) -> probes.DnsProbe:
        return probes.DnsProbe(
            server=self._seen_from(place, dns.server),
            name=self.renderer.text(dns.name),
            type=dns.type,
            answer=self.renderer.text(dns.answer) if dns.answer is not None else None,
        )

    def _smtp(self, place: str, smtp: schema_checks.SmtpProbe) -> probes.SmtpProbe:
        return probes.SmtpProbe(
            server=self._server(place, smtp.host, smtp.port),
            tls=smtp.tls,
            user=self._line(smtp.user),
            password=self._line(smtp.password),
            sender=self._line(smtp.sender),
            recipient=self._line(smtp.recipient),
            accepted=smtp.mail == "accepted",
        )

    def _ssh(self, place: str, ssh: schema_checks.SshProbe) -> probes.SshProbe:
        return probes.SshProbe(
            server=self._server(place, ssh.host, ssh.port),
            user=self._line(ssh.user),
            password=self._line(ssh.password),
            accepted=ssh.login == "accepted",
        )

    def _sql(self, place: str, sql: schema_checks.SqlProbe) -> probes.SqlProbe:
        usual = {"postgresql": 5432, "mysql": 3306}[sql.engine]
        return probes.SqlProbe(
            server=self._server(place, sql.host, usual if sql.port is None else sql.port),
            engine=sql.engine,
            user=self.renderer.read(sql.user, schema_checks.require_line),
            password=self._line(sql.password),
            database=self._line(sql.database),
            accepted=sql.login == "accepted",
            query=self.renderer.text(sql.query) if sql.query is not None else None,
            rows=sql.rows,
            contains=self._line(sql.contains),
        )

    def _line(self, field: str | None) -> str | None:
        return self.renderer.read(field, schema_checks.require_line) if field is not None else None

    def _server(self, place: str, host: str | None, port: int | str) -> probes.Server:
        address = self._seen_from(place, host) if host is not None else IPv4Address("127.0.0.1")
        return probes.Server(address=address, port=self.renderer.port(port))

    def _seen_from(self, place: str, host: str) -> IPv4Address:
        """Return a host's address in a network that it shares with `place`, or its first."""
        theirs, ours = self.facts.addresses[host], self.facts.addresses[place]
        shared = [address for network, address in theirs.items() if network in ours]
        return (shared or list(theirs.values()))[0]


def _folds(answer: schema_answers.Equals) -> frozenset[schema_answers.Fold]:
    return frozenset({"case", "space", *answer.fold}) if answer.fold else frozenset()


def _tolerance(within: float | Fraction, number: Fraction) -> Fraction:
    # A float's text is what its author wrote; its binary value is not.
    return abs(number) * within if isinstance(within, Fraction) else Fraction(str(within))

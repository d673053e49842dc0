"""From a scenario and a team to everything that should stand: decided here, done elsewhere."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Network

from core.scenario.generated import generated
from core.scenario.load import LoadedScenario
from core.scenario.render import Renderer, TeamFacts
from core.scenario.schema import Account, Host, HostFile, ReadyProbe
from orchestrator.domain import world
from orchestrator.domain.routing import attachments, gateway_of, names_elsewhere, plan_router
from orchestrator.domain.world import WorldKey, WorldPlan

_DEFAULT_LIMITS = world.Limits()

ImageNamer = Callable[[str, Host], str]


def named_images(loaded: LoadedScenario) -> tuple[str, ...]:
    """Return the images that must be on the engine already."""
    return tuple(dict.fromkeys(h.image for h in loaded.scenario.hosts.values() if h.image))


def plan_world(
    key: WorldKey,
    loaded: LoadedScenario,
    *,
    facts: TeamFacts,
    subnets: Mapping[str, IPv4Network],
    image_name: ImageNamer,
) -> WorldPlan:
    """Return the world of one team, with every file and text rendered.

    Raises what the renderer raises when a template of the scenario fails for this team.
    """
    renderer = Renderer(loaded, facts)
    return WorldPlan(
        key=key,
        networks=tuple(
            world.NetworkPlan(
                network=network, subnet=subnet, shared=loaded.scenario.networks[network].shared
            )
            for network, subnet in subnets.items()
        ),
        hosts=tuple(
            _host(host_id, host, loaded, facts, renderer, image_name(host_id, host))
            for host_id, host in loaded.scenario.hosts.items()
        ),
        router=plan_router(loaded.scenario, facts, renderer),
    )


def _host(
    host_id: str,
    host: Host,
    loaded: LoadedScenario,
    facts: TeamFacts,
    renderer: Renderer,
    image: str,
) -> world.HostPlan:
    return world.HostPlan(
        host=host_id,
        image=image,
        attachments=attachments(loaded.scenario, facts, host_id),
        accounts=tuple(_account(account, renderer) for account in host.accounts),
        files=tuple(
            plan for file in host.files for plan in _files(file, host_id, loaded, renderer)
        ),
        limits=world.Limits(
            memory=host.limits.memory or _DEFAULT_LIMITS.memory,
            cpus=host.limits.cpus or _DEFAULT_LIMITS.cpus,
            pids=host.limits.pids or _DEFAULT_LIMITS.pids,
            disk=host.limits.disk,
        ),
        environment={key: renderer.text(value) for key, value in host.env.items()},
        probes=tuple(_probe(probe, renderer) for probe in host.ready),
        hidden=host.hidden,
        gateway=gateway_of(loaded.scenario, facts, host_id),
        names=names_elsewhere(loaded.scenario, facts, host_id),
        needs=host.needs,
        privileges=world.Privileges(
            privileged=host.privileged,
            capabilities=host.cap_add,
            devices=host.devices,
            volumes=host.volumes,
            sysctls=dict(host.sysctls),
            names={name: renderer.text(at) for name, at in host.extra_hosts.items()},
            security=host.security_opt,
            runtime=host.runtime,
            host_ipc=host.ipc is not None,
            host_users=host.userns is not None,
            host_processes=host.pid is not None,
            host_name=host.uts is not None,
            host_network=host.network_mode == "host",
        ),
    )


def _account(account: Account, renderer: Renderer) -> world.AccountPlan:
    password = account.password
    return world.AccountPlan(
        name=renderer.text(account.name),
        password=renderer.text(password) if password is not None else None,
        sudo=account.sudo,
    )


def _files(
    file: HostFile, host_id: str, loaded: LoadedScenario, renderer: Renderer
) -> Iterator[world.FilePlan]:
    plan = _file(file, loaded, renderer)
    if file.generate is None:
        yield plan
        return
    for made in generated(
        file.generate, file.with_, renderer=renderer, host=host_id, path=plan.path
    ):
        yield replace(
            plan,
            path=(plan.path + made.path).rstrip("/"),
            content=made.content,
            mode=_open_to_readers(plan.mode) if made.folder else plan.mode,
            mtime=plan.mtime or made.mtime,
            folder=made.folder,
        )


def _open_to_readers(mode: int) -> int:
    """Return a file's mode for a folder: whoever reads files in it must get into it."""
    return mode | (mode & 0o444) >> 2


def _file(file: HostFile, loaded: LoadedScenario, renderer: Renderer) -> world.FilePlan:
    if file.template is not None:
        content = renderer.file(file.template)
    elif file.from_ is not None:
        content = loaded.read(file.from_)
    else:
        content = renderer.text(file.text or "").encode()
    return world.FilePlan(
        path=renderer.text(file.to),
        content=content,
        owner=renderer.text(file.owner),
        mode=int(file.mode, 8),
        mtime=renderer.instant(file.mtime) if file.mtime is not None else None,
    )


def _probe(probe: ReadyProbe, renderer: Renderer) -> world.ReadyProbe:
    return world.ReadyProbe(
        run=tuple(renderer.text(word) for word in probe.run or ()),
        tcp=renderer.port(probe.tcp) if probe.tcp is not None else None,
        within=probe.within,
        every=probe.every,
    )

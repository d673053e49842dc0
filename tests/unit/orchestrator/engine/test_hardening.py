"""A host's options for the engine: what a policy permitted, and otherwise what they always were."""

from ipaddress import IPv4Address

from orchestrator.domain.world import AccountPlan, Attachment, HostPlan, Privileges
from orchestrator.engine.hardening import CAPABILITIES, host_options
from orchestrator.engine.labels import plan_digest

OLD_DIGEST = "7d4fbbe62b9cf2d5cedb932db7c02a20"
PLACE = Attachment(network="lan", address=IPv4Address("10.0.0.10"))


def plan(privileges: Privileges, *accounts: AccountPlan) -> HostPlan:
    return HostPlan(
        host="box", image="x", attachments=(PLACE,), accounts=accounts, privileges=privileges
    )


def options(privileges: Privileges, *accounts: AccountPlan) -> dict[str, object]:
    return host_options(plan(privileges, *accounts), network="lan")


def test_a_host_that_was_permitted_nothing_has_no_option_for_it() -> None:
    usual = options(Privileges())
    assert usual["CapAdd"] == list(CAPABILITIES)
    assert usual["SecurityOpt"] == ["no-new-privileges"]
    for key in ("Privileged", "Devices", "Mounts", "Runtime", "IpcMode", "UsernsMode"):
        assert key not in usual
    assert (usual["Dns"], "PidMode" in usual, "UTSMode" in usual) == (["127.0.0.1"], False, False)


def test_what_is_the_machines_is_asked_for_as_such() -> None:
    made = options(Privileges(host_processes=True, host_name=True))
    assert (made["PidMode"], made["UTSMode"], made["Dns"]) == ("host", "host", ["127.0.0.1"])
    lent = host_options(plan(Privileges(host_network=True)), network="host")
    assert (lent["NetworkMode"], lent["Dns"]) == ("host", []), "names are the machine's, too"


def test_devices_and_places_are_split_as_compose_writes_them() -> None:
    made = options(
        Privileges(
            devices=("/dev/kvm", "/dev/a:/dev/b", "/dev/c:/dev/d:r"),
            volumes=("/srv/a:/a", "/srv/b:/b:ro", "/srv/c:/c:rw"),
        )
    )
    assert made["Devices"] == [
        {"PathOnHost": here, "PathInContainer": there, "CgroupPermissions": may}
        for here, there, may in (
            ("/dev/kvm", "/dev/kvm", "rwm"),
            ("/dev/a", "/dev/b", "rwm"),
            ("/dev/c", "/dev/d", "r"),
        )
    ]
    assert made["Mounts"] == [
        {"Type": "bind", "Source": f"/srv/{name}", "Target": f"/{name}", "ReadOnly": read_only}
        for name, read_only in (("a", True), ("b", True), ("c", False))
    ]


def test_a_privileged_host_is_asked_for_as_one() -> None:
    made = options(Privileges(privileged=True, runtime="runsc", host_ipc=True, host_users=True))
    named = {key: made[key] for key in ("Privileged", "Runtime", "IpcMode", "UsernsMode")}
    assert named == {
        "Privileged": True,
        "Runtime": "runsc",
        "IpcMode": "host",
        "UsernsMode": "host",
    }


def test_security_options_are_spelt_as_the_engine_wants_them() -> None:
    asked = Privileges(security=("seccomp:unconfined",))
    assert options(asked)["SecurityOpt"] == ["no-new-privileges", "seccomp=unconfined"]
    free = Privileges(security=("no-new-privileges:false", "apparmor:unconfined"))
    assert options(free)["SecurityOpt"] == ["apparmor=unconfined"]
    assert options(asked, AccountPlan(name="ann", sudo=True))["SecurityOpt"] == [
        "seccomp=unconfined"
    ]


def test_hosts_that_stood_before_there_were_privileges_stay_as_they_are() -> None:
    """The digest is what a container of an earlier version carries."""
    assert plan_digest(plan(Privileges())) == OLD_DIGEST
    assert plan_digest(plan(Privileges(sysctls={"net.core.somaxconn": "1"}))) != OLD_DIGEST

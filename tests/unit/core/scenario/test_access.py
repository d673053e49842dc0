from core.scenario.access import (
    accounts_shown,
    default_entry,
    entries_for,
    lineage,
    reachable_hosts,
    widest_role,
)
from core.scenario.schema import Role, Scenario

SCENARIO = Scenario.model_validate(
    {
        "language": 1,
        "scenario": {
            "id": "x",
            "version": "1.0.0",
            "title": "X",
            "kind": "tabletop",
            "duration": "1h",
        },
        "roles": {"responder": {}, "lead": {"extends": "responder"}, "guest": {}},
        "networks": {"lan": {"size": "/28"}, "far": {"size": "/28"}},
        "hosts": {
            "desk": {"image": "x", "networks": {"lan": {}}},
            "mail": {
                "image": "x",
                "networks": {"lan": {}},
                "accounts": (
                    {"name": "keeper", "password": "a", "roles": ("responder",)},
                    {"name": "master", "password": "b", "roles": ("lead",)},
                    {"name": "clerk", "password": "c"},
                    {"name": "other", "roles": ("responder",)},
                ),
            },
            "away": {
                "image": "x",
                "networks": {"far": {}},
                "hidden": True,
                "accounts": ({"name": "intruder", "password": "d", "roles": ("responder",)},),
            },
            "isle": {"image": "x", "networks": {"far": {}}},
        },
        "access": (
            {"roles": ("responder",), "host": "desk", "as": "a", "default": True},
            {"roles": ("lead",), "host": "mail", "as": "b"},
        ),
        "tasks": {"t": {"answer": "x"}},
    }
)


def test_a_role_inherits_the_access_of_the_one_it_extends() -> None:
    assert lineage(SCENARIO, "lead") == ("lead", "responder")
    assert [e.host for e in entries_for(SCENARIO, "lead")] == ["desk", "mail"]
    assert [e.host for e in entries_for(SCENARIO, "responder")] == ["desk"]
    assert entries_for(SCENARIO, "guest") == ()


def test_a_role_lands_at_its_own_or_an_inherited_default() -> None:
    for role in ("responder", "lead"):
        entry = default_entry(SCENARIO, role)
        assert entry is not None
        assert entry.host == "desk"
    assert default_entry(SCENARIO, "guest") is None


def test_a_role_is_shown_the_passwords_that_list_it_or_what_it_extends() -> None:
    def shown(role: str) -> list[tuple[str, str]]:
        return [(host, account.name) for host, account in accounts_shown(SCENARIO, role)]

    assert shown("responder") == [("mail", "keeper")]
    assert shown("lead") == [("mail", "keeper"), ("mail", "master")]
    assert shown("guest") == []


def test_the_widest_role_has_most_access() -> None:
    assert widest_role(SCENARIO) == "lead"


def test_hosts_in_a_network_with_an_entered_host_are_reachable() -> None:
    assert reachable_hosts(SCENARIO) == {"desk", "mail"}


def test_without_hosts_the_widest_role_is_the_one_that_extends_most() -> None:
    table = SCENARIO.model_copy(update={"hosts": {}, "access": ()})
    assert widest_role(table) == "lead"
    alone = table.model_copy(update={"roles": {"guest": Role(), "envoy": Role()}})
    assert widest_role(alone) == "guest", "of equals the first"

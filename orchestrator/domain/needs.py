"""Hosts that need others: who waits for whom. Pure; lint has refused circles."""

from collections.abc import Collection, Mapping


def dependents(needs: Mapping[str, Collection[str]], host: str) -> tuple[str, ...]:
    """Return the hosts that wait for `host`, also through others, in the order of `needs`."""
    waiting = {host}
    while more := {h for h, wanted in needs.items() if waiting & set(wanted)} - waiting:
        waiting |= more
    return tuple(h for h in needs if h in waiting and h != host)

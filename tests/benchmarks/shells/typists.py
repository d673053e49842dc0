"""Terminals that are typed at, in a process of its own: `python typists.py PORT KEY JSON-PLAN`.

Prints a JSON object: `open_s` until the last prompt, `prompt_s` of each session, and `echo_ms` of
each key.
"""

import asyncio
import json
import os
import random
import sys
import time
from typing import Any

import asyncssh

_KEYS_A_SECOND = 5
_PROMPT = b"$ "
_LIMIT_S = 240


class _Terminal:
    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process

    async def prompt(self) -> None:
        await self._process.stdout.readuntil(_PROMPT)

    def flood(self) -> asyncio.Task[None]:
        self._process.stdin.write(b"yes\n")
        return asyncio.ensure_future(self._drain())

    async def echo(self) -> float:
        """Return the milliseconds until a typed character came back."""
        began = time.perf_counter()
        self._process.stdin.write(b"x")
        while b"x" not in await self._process.stdout.read(4096):
            pass
        return (time.perf_counter() - began) * 1000

    async def _drain(self) -> None:
        while await self._process.stdout.read(65536):
            pass


async def _opened(
    port: int, key: str, login: str, at_once: asyncio.Semaphore, open_: list[Any]
) -> tuple[_Terminal, float]:
    began = time.perf_counter()
    async with at_once:
        connection = await asyncssh.connect(
            "127.0.0.1", port, username=login, client_keys=[key], known_hosts=None,
            config=None, agent_path=None, login_timeout=_LIMIT_S,
        )  # fmt: skip
        open_.append(connection)
        process = await connection.create_process(
            term_type="xterm", term_size=(80, 24), encoding=None
        )
        terminal = _Terminal(process)
        await terminal.prompt()
    return terminal, time.perf_counter() - began


async def _type(terminal: _Terminal, seconds: float, dice: random.Random) -> list[float]:
    found = []
    await asyncio.sleep(dice.random() / _KEYS_A_SECOND)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        found.append(await terminal.echo())
        await asyncio.sleep(1 / _KEYS_A_SECOND)
    return found


async def _play(port: int, key: str, plan: dict[str, Any]) -> dict[str, Any]:
    connections: list[Any] = []
    at_once = asyncio.Semaphore(plan["at_once"])
    began = time.perf_counter()
    made = await asyncio.gather(
        *(_opened(port, key, login, at_once, connections) for login in plan["logins"])
    )
    open_s = time.perf_counter() - began
    terminals = [terminal for terminal, _ in made]
    floods = [terminal.flood() for terminal in terminals[: plan["floods"]]]
    dice = random.Random(1)  # only spreads the typists
    echoes = await asyncio.gather(
        *(_type(terminal, plan["seconds"], dice) for terminal in terminals[plan["floods"] :])
    )
    told = {
        "open_s": open_s,
        "prompt_s": [seconds for _, seconds in made],
        "echo_ms": [echo for one in echoes for echo in one],
    }
    print(json.dumps(told), flush=True)
    if plan["hold"]:
        await asyncio.to_thread(sys.stdin.readline)
    for flood in floods:
        flood.cancel()
    for connection in connections:
        connection.abort()
    return told


if __name__ == "__main__":
    asyncio.run(_play(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])))
    os._exit(0)  # nothing of ours is left to wait for

"""Chromium for every test of a page, in a network of its own."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.fakes.quiet_network import QuietNetwork, quiet_network
from tests.fakes.served import Door


@pytest.fixture(scope="session")
def network() -> Iterator[QuietNetwork | None]:
    with quiet_network() as network:
        yield network


@pytest.fixture(scope="module")
def doors(network: QuietNetwork | None) -> tuple[Door, ...]:
    """Where a site has to listen besides, so that the browser finds it."""
    return (network.listen,) if network else ()


@pytest.fixture(scope="module")
def browser(
    network: QuietNetwork | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Without one, Playwright's own, which ./dev installs on Ubuntu.
        program = shutil.which("chromium") or playwright.chromium.executable_path
        if network:
            program = str(network.wrapper(program, tmp_path_factory.mktemp("browser")))
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _told(network: QuietNetwork | None) -> None:
    """Tell beside a failure why it may be none of the page's."""
    if network is None:
        print(
            "The browser shares the machine's networks: this user may not make it one of its own, "
            "so net::ERR_NETWORK_CHANGED says that a network of the machine came or went."
        )

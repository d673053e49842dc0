"""What a plan says of a site that cannot do everything."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from api.cli.planning import forecast
from core.scenario.load import load
from core.settings import Settings
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.inject_site import HEAD

STORY = """\
  note: {at: 1m, script: Note.}
  lag: {manual: true, link: {network: office, delay: 200ms}}
  cut: {manual: true, link: {network: office, down: true}}
"""


@pytest.mark.parametrize("kernel_delays", [True, False])
def test_a_delay_that_the_kernel_cannot_do_is_named(tmp_path: Path, *, kernel_delays: bool) -> None:
    folder = tmp_path / "harbour"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(HEAD + STORY)
    engine = FakeEngine()
    engine.kernel_delays = kernel_delays
    settings = Settings(home=tmp_path, address_pool=(IPv4Network("10.213.0.0/24"),))
    remarks = forecast(load(folder), settings, engine, teams=1).remarks
    named = [
        remark for remark in remarks if remark.startswith("Not enforced here: the delay of lag")
    ]
    assert len(named) == (not kernel_delays)

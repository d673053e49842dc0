"""What a site may not set."""

import pytest

from core.settings import SettingsInvalidError, read_settings

PAGE = "https://range.example"


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"POLIGON_LRS_{name}", value)


@pytest.mark.parametrize(
    "url",
    ["https://lrs.example/xapi", "http://127.0.0.1:8080/xapi", "http://[::1]/", "http://localhost"],
)
def test_an_lrs_is_called_with_tls_or_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    set_all(monkeypatch, URL=url, HOME_PAGE=PAGE)
    assert read_settings().lrs_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://lrs.example/xapi",
        "http://localhost.example/xapi",
        "https://key:secret@lrs.example/xapi",
        "https://lrs.example/xapi?x=1",
        "ftp://lrs.example",
        "lrs.example",
        "https://",
        "https://lrs.example:99999/xapi",
        "https://lrs.example/\nx",
    ],
)
def test_other_addresses_of_an_lrs_are_refused_by_the_settings_name(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    set_all(monkeypatch, URL=url, HOME_PAGE=PAGE)
    with pytest.raises(SettingsInvalidError, match="POLIGON_LRS_URL: "):
        read_settings()


def test_an_lrs_without_tls_has_to_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, URL="http://lrs:8080/xapi", HOME_PAGE=PAGE, WITHOUT_TLS="true")
    assert read_settings().lrs_url == "http://lrs:8080/xapi"


@pytest.mark.parametrize("page", ["", "range.example", "mailto:ada@range.example"])
def test_an_lrs_needs_a_page_for_ids(monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    set_all(monkeypatch, URL="https://lrs.example/xapi", HOME_PAGE=page)
    with pytest.raises(SettingsInvalidError, match="POLIGON_LRS_HOME_PAGE: "):
        read_settings()


def test_a_download_has_ids_at_the_public_host_unless_a_page_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POLIGON_PUBLIC_HOST", "range.test")
    assert read_settings().home_page() == "https://range.test"
    set_all(monkeypatch, HOME_PAGE=PAGE)
    assert read_settings().home_page() == PAGE


def test_the_secret_of_an_lrs_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SECRET="s3cret")
    assert "s3cret" not in repr(read_settings())

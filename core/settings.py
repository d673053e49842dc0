"""Settings: one frozen object, read from `POLIGON_*` once, passed down in parts."""

from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import Fault, PoligonError


class SettingsInvalidError(PoligonError):
    """A setting has a value that cannot be; the program does not start."""

    code = "settings.invalid"
    fault = Fault.INPUT


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _parts_of(url: str) -> SplitResult:
    """Return the parts of a page's address; raises ValueError when it is none."""
    parts = urlsplit(url)
    is_page = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    if not is_page or not url.isprintable():
        raise ValueError("it is no address such as https://range.example")
    return parts


def _none_when_empty(value: object) -> object:
    return None if value == "" else value


class Settings(BaseSettings):
    """Everything a site may set. The defaults need no server but Docker."""

    model_config = SettingsConfigDict(
        env_prefix="POLIGON_", frozen=True, extra="ignore", populate_by_name=True
    )

    home: Path = Path.home() / ".local/share/cyberpoligon"
    """Where the embedded database, the queue, the host key, recordings, teams' files and the logs
    live."""
    installation: str = Field(default="main", pattern=r"^[a-z0-9](-?[a-z0-9]){0,20}$")
    """The label that owns everything on the engine; one engine may serve several installations."""
    database_url: SecretStr = SecretStr("")
    """SQLAlchemy address; empty means SQLite in `home`."""
    broker_url: SecretStr = SecretStr("")
    """Celery broker, such as `redis://...`; empty means the embedded queue in `home`. At a
    Redis the gateways of several machines meet, too."""
    docker_host: str = Field(
        default="unix:///var/run/docker.sock",
        validation_alias=AliasChoices("POLIGON_DOCKER_HOST", "DOCKER_HOST"),
    )
    terminal_engine: str = Field(default="", pattern=r"^(unix:///.+)?$")
    """Where the broker listens, through which the gateway enters hosts, as `unix:///...`; empty
    means in `home`."""
    engine_parallelism: int = Field(default=8, ge=1, le=64)
    """Calls to the engine that may be under way at once, per process."""
    address_pool: tuple[IPv4Network, ...] = (IPv4Network("10.213.0.0/16"),)
    """Where networks get their subnets; whatever the engine's host routes already is skipped."""
    internet_pool: tuple[IPv4Network, ...] = (
        IPv4Network("203.0.113.0/24"),
        IPv4Network("198.51.100.0/24"),
        IPv4Network("192.0.2.0/24"),
        IPv4Network("198.18.0.0/15"),
    )
    """Where networks that simulate the internet get their subnets, while there are any: addresses
    for documentation and benchmarks, which belong to nobody (RFC 5737, RFC 2544)."""
    expiry: timedelta = Field(default=timedelta(days=3), ge=timedelta(hours=1))
    """How long worlds stand that nobody touches, as ISO 8601 spells it (P3D, PT36H)."""
    ledgers_verified: timedelta = Field(default=timedelta(hours=24), ge=timedelta(minutes=1))
    """How often workers look through every ledger for changes, as ISO 8601 spells it (PT24H)."""
    recordings_kept: timedelta = Field(default=timedelta(days=90), ge=timedelta(hours=1))
    """How long recordings and typed commands are kept; a scenario may say less (P90D, PT12H)."""
    keep_terminals: timedelta = Field(
        default=timedelta(minutes=5), ge=timedelta(), le=timedelta(hours=12)
    )
    """How long a shell lives on after its client went, as ISO 8601 spells it (PT5M); PT0S ends it
    at once."""
    self_test: Literal["every", "sample", "off"] = "every"
    """Which worlds are probed for ways out before they are called ready."""
    upload_scanner: str = ""
    """A command, such as `clamdscan --fdpass`, that looks at each file that a team hands in: its
    path is put behind it, and it ends with 0 for harmless and 1 for infected; empty means none."""
    scenarios: Path = Path("scenarios")
    """The folder whose scenarios the catalogue offers."""
    policy: Annotated[Path | None, BeforeValidator(_none_when_empty)] = None
    """The file of the site's policy; without one it permits scenarios nothing that it decides."""
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=1, le=65535)
    api_processes: int = Field(default=1, ge=1, le=64)
    """How many processes serve the pages and the interface; they share the port."""
    ssh_host: str = "127.0.0.1"
    ssh_port: int = Field(default=2222, ge=1, le=65535)
    gateways: int = Field(default=1, ge=1, le=64)
    """How many gateway processes `serve --all` runs; they share the port."""
    sessions_per_trainee: int = Field(default=12, ge=1, le=1000)
    """How many sessions one person may have at once, over all gateways."""
    sessions_per_team: int = Field(default=60, ge=1, le=10_000)
    """How many sessions one team may have at once, over all gateways."""
    idle_limit: timedelta = Field(default=timedelta(hours=8), ge=timedelta(minutes=1))
    """How long nothing may be typed in a terminal before it ends (PT8H, PT30M)."""
    session_limit: timedelta = Field(default=timedelta(hours=24), ge=timedelta(minutes=1))
    """How long a session may last at most (PT24H, P2D)."""
    drain: timedelta = Field(default=timedelta(), ge=timedelta(), le=timedelta(hours=1))
    """How long sessions may go on when a gateway is told to stop, as ISO 8601 spells it (PT30S)."""
    answers_per_person: int = Field(default=30, ge=1, le=1_000_000)
    """How many answers of one person are taken in a minute."""
    answers_per_team: int = Field(default=90, ge=1, le=1_000_000)
    """How many answers of one team are taken in a minute, whoever of it sends them."""
    metrics_token: SecretStr = SecretStr("")
    """With this bearer token `GET /metrics` may be read; empty means by administrators only."""
    lrs_without_tls: bool = False
    """Whether the learning record store may be at `http://`, also at another machine."""
    lrs_url: str = Field(default="", max_length=500)
    """The learning record store that is told results, such as `https://lrs.example/xapi`; empty
    means that nobody is told."""
    lrs_key: str = ""
    lrs_secret: SecretStr = SecretStr("")
    """With these it is called (HTTP Basic)."""
    lrs_home_page: str = Field(default="", validate_default=True, max_length=200)
    """The page under which people, teams and tasks have their ids there; never to be changed."""
    public_host: str = "127.0.0.1"
    """The name or address that trainees type."""
    log_json: bool | None = None
    """Logs as JSON lines; by default when nobody watches the terminal."""

    @field_validator("lrs_url")
    @classmethod
    def _leads_to_an_lrs(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        parts = _parts_of(value)
        if parts.username or parts.query or parts.fragment:
            raise ValueError("it holds the address alone: the key has a setting of its own")
        is_here = parts.hostname in _LOOPBACK or info.data.get("lrs_without_tls")
        if parts.scheme != "https" and not is_here:
            raise ValueError("it is not https, and POLIGON_LRS_WITHOUT_TLS does not allow that")
        return value

    @field_validator("lrs_home_page")
    @classmethod
    def _is_a_page(cls, value: str, info: ValidationInfo) -> str:
        if value:
            _parts_of(value)
        elif info.data.get("lrs_url"):
            raise ValueError("POLIGON_LRS_URL needs it, such as https://range.example")
        return value

    def home_page(self) -> str:
        """Return the page under which people and tasks have their ids in other systems."""
        return self.lrs_home_page or f"https://{self.public_host}"

    def recordings(self) -> Path:
        """Return the folder of the recordings, a folder an exercise."""
        return self.home / "recordings"

    def uploads(self) -> Path:
        """Return the folder of what teams hand in, by the digests of its contents."""
        return self.home / "uploads"

    def effective_database_url(self) -> str:
        """Return the database's SQLAlchemy address."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.home / 'poligon.db'}"

    def redis_url(self) -> str:
        """Return the address of the site's Redis, or nothing: the broker may be another kind."""
        url = self.broker_url.get_secret_value()
        return url if url.startswith(("redis://", "rediss://")) else ""

    def effective_terminal_engine(self) -> str:
        """Return the address of the broker's socket."""
        return self.terminal_engine or f"unix://{self.home.absolute() / 'broker' / 'engine.sock'}"


def read_settings() -> Settings:
    """Return the settings of this process; raises SettingsInvalidError naming each wrong one."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"POLIGON_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        )
        raise SettingsInvalidError(
            f"settings are not usable: {wrong}", hint="Correct the environment and start again"
        ) from error

"""Settings: from the environment (PANEL_*), else from the installation's file; never from the code."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from panel.core.errors import Label, Reason, Refused

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LEAST_DIFFERENT = 10
"""So many different characters a secret has at least."""

NOT_IN_FILE = frozenset({"data", "secret", "former_secrets", "demo", "lan"})
"""Settings that the settings file does not offer: secrets are in files of their own, the demo is a command."""


DRIVERS = frozenset({"sqlite", "postgresql+psycopg"})
"""The beginnings of the database URLs that this version serves."""

NOT_UNDERSTOOD: Mapping[str, str] = {
    "int": Label("a whole number is expected"),
    "float": Label("a number is expected"),
    "greater_than_equal": Label("at least %(ge)s is expected"),
    "greater_than": Label("more than %(gt)s is expected"),
    "less_than_equal": Label("at most %(le)s is expected"),
    "literal_error": Label("expected is %(expected)s"),
    "tuple_type": Label('a list is expected, such as ["one", "two"]'),
    "string_type": Label("a text in quotation marks is expected"),
}
"""What to say of a value that does not fit, by the beginning of pydantic's name for it."""

AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class Unsafe(ValueError):
    """A setting with which nothing is served; carries the sentence that says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Misconfigured(Refused):
    """The settings do not hold; `problems` names each that is wrong."""

    def __init__(self, problems: Sequence[tuple[str, Reason]]) -> None:
        super().__init__(Reason("The settings do not hold."))
        self.problems = problems


def readable_by_others(path: Path) -> bool:
    """Say whether anybody but its owner may read or change a file or folder."""
    return os.name == "posix" and bool(path.stat().st_mode & 0o077)


class Settings(BaseSettings):
    """What an installation decides. The record's key is a file of its own.

    `secret` signs forms and links; `former_secrets` still read what they have signed, for a day after a change.
    Either comes from the environment or, better, from a file of the environment's choice that only its owner reads.
    Where checkpoints go besides: a folder, URLs to post them to, witnesses (`key URL`), an RFC 3161 authority.
    """

    model_config = SettingsConfigDict(env_prefix="PANEL_")

    data: Path = Path("data")
    database: str = Field(default="", description=Label("Database URL; empty: a SQLite file in the data directory"))
    redis: SecretStr = Field(
        default=SecretStr(""), description=Label("URL of Redis or Valkey, for several processes; empty: none")
    )
    host: str = Field(default="127.0.0.1", description=Label("Address to listen on"))
    port: int = Field(default=8000, ge=0, le=65535, description=Label("Port to listen on"))
    secret: SecretStr = Field(min_length=32)
    secret_file: Path | None = Field(default=None, description=Label("File with the secret; empty: keys/secret"))
    former_secrets: tuple[SecretStr, ...] = ()
    origins: tuple[str, ...] = Field(default=(), description=Label("Addresses under which the site is reached"))
    trusted_proxies: tuple[str, ...] = Field(default=(), description=Label("Proxies whose forwarding is believed"))
    zone: str = Field(default="Asia/Shanghai", description=Label("Time zone in which times are shown"))
    demo: bool = False
    lan: bool = False
    checkpoint_seconds: float = Field(default=60.0, gt=0, description=Label("Seconds between two checkpoints"))
    checkpoint_folder: Path | None = Field(default=None, description=Label("Folder that gets every checkpoint"))
    checkpoint_hooks: tuple[str, ...] = Field(default=(), description=Label("URLs to which every checkpoint is posted"))
    witnesses: tuple[str, ...] = Field(default=(), description=Label("Witnesses: public key, space, URL"))
    timestamp_authority: str = Field(default="", description=Label("Address of an RFC 3161 timestamp authority"))
    second_factor: Literal["off", "officers", "all"] = Field(
        default="off", description=Label("Second factor: off, officers (also chairs and secretaries), or all")
    )
    proof_minutes: int = Field(
        default=0, ge=0, le=60,
        description=Label("Minutes after which one confirms again who one is, before grave acts; 0: never"),
    )  # fmt: skip
    smtp_host: str = Field(default="", description=Label("Mail server; empty: no mail is sent"))
    smtp_port: int = Field(default=587, description=Label("Port of the mail server"))
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description=Label("Mail encryption: starttls, tls or none")
    )
    smtp_user: str = Field(default="", description=Label("Name at the mail server"))
    smtp_password: SecretStr = Field(default=SecretStr(""), description=Label("Password at the mail server"))
    mail_from: str = Field(default="", description=Label("Sender of the mails"))
    idle_minutes: int = Field(default=30, ge=1, description=Label("Minutes after which an unused sign-in ends"))
    session_hours: int = Field(default=12, ge=1, description=Label("Hours after which every sign-in ends"))
    metrics_port: int = Field(default=0, ge=0, le=65535, description=Label("Port of /metrics; 0: none"))
    metrics_host: str = Field(default="127.0.0.1", description=Label("Address on which /metrics listens"))
    log_folder: Path | None = Field(
        default=None, description=Label("Folder of the access and security logs; empty: stderr")
    )
    log_days: int = Field(default=200, ge=1, description=Label("Days for which files in it are kept"))
    postgres_programs: Path | None = Field(
        default=None, description=Label("Folder of pg_dump and pg_restore; empty: as the system finds them")
    )
    organisation: str = Field(default="", description=Label("Name of the committee's organisation"))
    sponsor: str = Field(default="", description=Label("Who runs the site, for the footer"))
    icp: str = Field(default="", description=Label("ICP filing number, for the footer"))
    police_icp: str = Field(default="", description=Label("Public security filing number, for the footer"))
    contact: str = Field(default="", description=Label("Whom to ask for help, for the footer"))

    @model_validator(mode="before")
    @classmethod
    def secret_from_file(cls, given: Any) -> Any:
        """Read the secret from `secret_file`, else from the installation's own; others may not read either."""
        own = Path(given.get("data") or "data") / "keys" / "secret"
        file = given.get("secret_file") or (own if own.is_file() else None)
        if not file or given.get("secret"):
            return given
        try:
            if readable_by_others(Path(file)):
                raise Unsafe(Reason("others may read %(file)s: its mode must be 0600", file=file))
            return {**given, "secret": Path(file).read_text(encoding="utf-8").strip()}
        except OSError as problem:
            raise Unsafe(Reason("%(file)s cannot be read: %(why)s", file=file, why=problem.strerror)) from None
        except UnicodeDecodeError:
            raise Unsafe(Reason("%(file)s holds no text", file=file)) from None

    @field_validator("checkpoint_folder", "secret_file", "log_folder", "postgres_programs", mode="before")
    @classmethod
    def nothing_is_no_path(cls, given: Any) -> Any:
        """Take an empty text for none: as a path it would be the present folder."""
        return given or None

    @field_validator("secret")
    @classmethod
    def secret_is_strong(cls, secret: SecretStr) -> SecretStr:
        """Refuse a secret that is long only by repeating itself."""
        if len(set(secret.get_secret_value())) < LEAST_DIFFERENT:
            raise Unsafe(Reason("the secret is too simple; make one at random"))
        return secret

    @field_validator("zone")
    @classmethod
    def zone_exists(cls, name: str) -> str:
        """Refuse a time zone that the system does not know."""
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError):
            raise Unsafe(Reason("there is no time zone %(name)s", name=name)) from None
        return name

    @field_validator("database")
    @classmethod
    def database_is_known(cls, url: str) -> str:
        """Refuse what is no database's URL, or one of a kind that this version does not serve."""
        if url and not knows_database(url):
            raise Unsafe(Reason("write it as postgresql+psycopg://NAME@HOST/DATABASE, or leave it empty"))
        return url

    @field_validator("redis")
    @classmethod
    def redis_is_an_address(cls, url: SecretStr) -> SecretStr:
        """Refuse what cannot be an address of Redis or Valkey."""
        if url.get_secret_value() and not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise Unsafe(Reason("write it as redis://, rediss:// or unix://"))
        return url

    @model_validator(mode="after")
    def redis_has_a_use(self) -> Self:
        """Refuse Redis beside SQLite, which has one process: whoever states both believes something that is not so."""
        if self.redis.get_secret_value() and not self.database:
            raise Unsafe(Reason("redis is for several processes, and those need a PostgreSQL database"))
        return self

    @model_validator(mode="after")
    def own_origin(self) -> Self:
        """Know at least one's own address on this machine: an empty list would let nobody in."""
        if not self.origins:
            hosts = sorted({self.host, *(("127.0.0.1", "localhost") if self.host in LOOPBACK else ())})
            self.origins = tuple(f"http://{f'[{host}]' if ':' in host else host}:{self.port}" for host in hosts)
        return self

    @property
    def database_url(self) -> str:
        """Return the database URL; by default a SQLite file in the data directory."""
        return self.database or f"sqlite:///{self.data / 'panel.sqlite'}"

    def told(self) -> dict[str, Any]:
        """Return the settings as they may be printed: no secret, no password of a database."""
        database = make_url(self.database_url).render_as_string(hide_password=True)
        return self.model_dump(mode="json") | {"database": database}

    @property
    def secure(self) -> bool:
        """Say whether cookies carry Secure: always, except on bare loopback HTTP or a demo on the local network."""
        behind_tls = bool(self.trusted_proxies) or any(origin.startswith("https://") for origin in self.origins)
        return not self.demo and (behind_tls or self.host not in LOOPBACK)

    @property
    def cookie(self) -> str:
        """Return the session cookie's name (design 8)."""
        return "__Host-pv_session" if self.secure else "pv_session"

    @property
    def record_key(self) -> Path:
        """Return the path of the record's signing key."""
        return self.data / "keys" / "record.key"

    @property
    def ballot_keys(self) -> Path:
        """Return the directory of sealed motions' keys: outside database and backups."""
        return self.data / "keys" / "motions"

    @property
    def exhibits(self) -> Path:
        """Return the directory of uploaded exhibits."""
        return self.data / "exhibits"

    @property
    def set_up_code(self) -> Path:
        """Return the path of the one-time code of the first run; there until there is an administrator."""
        return self.keys / "set-up"

    @property
    def factors_key(self) -> Path:
        """Return the path of the key that seals authenticators' secrets."""
        return self.keys / "factors"

    @property
    def keys(self) -> Path:
        """Return the folder of everything secret: outside database and backups."""
        return self.data / "keys"


def knows_database(url: str) -> bool:
    """Say whether this is the URL of a database of a kind that this version serves."""
    try:
        return make_url(url).drivername in DRIVERS
    except (ArgumentError, ValueError):
        return False


def load(data: Path | None = None, **given: Any) -> Settings:
    """Return an installation's settings: what is given here, else PANEL_* variables, else `settings.toml` in `data`.

    Raises Misconfigured, naming every setting that is wrong.
    """
    folder = data or Path(os.environ.get("PANEL_DATA", "data"))
    stated = {name: value for name, value in given.items() if value is not None}
    try:
        read = _read(folder / "settings.toml")
        return Settings(**{**read, **stated, "data": folder})
    except ValidationError as error:
        problems = [(str(each["loc"][0]) if each["loc"] else "", _why(each)) for each in error.errors()]
        raise Misconfigured(problems) from None


def _read(file: Path) -> dict[str, Any]:
    """Return what the settings file says and no variable of the environment says otherwise."""
    try:
        with file.open("rb") as opened:
            said = tomllib.load(opened)
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise Misconfigured([(file.name, Reason("cannot be read: %(why)s", why=problem.strerror))]) from None
    except ValueError as problem:
        raise Misconfigured([(file.name, _why_no_toml(str(problem)))]) from None
    return {name: value for name, value in said.items() if f"PANEL_{name.upper()}" not in os.environ}


def _why_no_toml(problem: str) -> Reason:
    """Say where a settings file is not written as it must be; the parser's own words are English."""
    if (found := AT_LINE.search(problem)) is not None:
        return Reason("line %(line)s is not written as NAME = VALUE, or says something twice", line=found[1])
    return Reason("this is no settings file: it must be text, NAME = VALUE on each line")


def _why(error: Any) -> Reason:
    context = error.get("ctx") or {}
    if isinstance(said := context.get("error"), Unsafe):
        return said.reason
    if error["type"] == "extra_forbidden":
        return Reason("there is no such setting")
    if error["loc"] == ("secret",):
        return Reason("the secret is missing or shorter than 32 characters")
    kind = next((begins for begins in NOT_UNDERSTOOD if error["type"].startswith(begins)), None)
    if kind is not None:
        return Reason(NOT_UNDERSTOOD[kind], **{**context, "expected": str(context.get("expected")).replace("'", "")})
    return Reason("this value is not understood: %(why)s", why=error["msg"])

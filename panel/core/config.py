"""Settings: from the environment (PANEL_*), never from the code."""

import os
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(BaseSettings):
    """What an installation decides. The record's key is a file of its own.

    `secret` signs forms and links; `former_secrets` still read what they have signed, for a day after a change.
    Either comes from the environment or, better, from a file of the environment's choice that only its owner reads.
    Where checkpoints go besides: a folder, URLs to post them to, witnesses (`key URL`), an RFC 3161 authority.
    """

    model_config = SettingsConfigDict(env_prefix="PANEL_")

    data: Path = Path("data")
    database: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    secret: SecretStr = Field(min_length=32)
    former_secrets: tuple[SecretStr, ...] = ()
    secret_file: Path | None = None
    origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    zone: str = "Asia/Shanghai"
    demo: bool = False
    lan: bool = False
    checkpoint_seconds: float = 60.0
    checkpoint_folder: Path | None = None
    checkpoint_hooks: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    timestamp_authority: str = ""
    idle_minutes: int = 30
    session_hours: int = 12
    organisation: str = ""
    sponsor: str = ""
    icp: str = ""
    police_icp: str = ""
    contact: str = ""

    @model_validator(mode="before")
    @classmethod
    def secret_from_file(cls, given: Any) -> Any:
        """Read the secret from `secret_file`; a file that others may read holds no secret."""
        file = given.get("secret_file")
        if not file or given.get("secret"):
            return given
        if os.name == "posix" and Path(file).stat().st_mode & 0o077:
            raise ValueError(f"others may read {file}: its mode must be 0600")
        return {**given, "secret": Path(file).read_text(encoding="utf-8").strip()}

    @field_validator("zone")
    @classmethod
    def zone_exists(cls, name: str) -> str:
        """Refuse a time zone that the system does not know."""
        try:
            ZoneInfo(name)
        except (KeyError, OSError):
            raise ValueError(f"there is no time zone {name}") from None
        return name

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

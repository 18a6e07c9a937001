"""Settings, from the environment only: OPTLEDGER_… or, for a file with the value, OPTLEDGER_…_FILE.

A setting that is unknown, given twice or out of range is refused at start, with what to do.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "OPTLEDGER_"
SECRETS = ("database_url", "database_owner_url")

Port = Annotated[int, Field(ge=1, le=65535)]


class SettingsError(Exception):
    """The environment holds a setting we refuse; the message lists every one and what to do."""


class Settings(BaseSettings):
    """What can be set. The description of a field is what `optledger config` and the docs show."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL to use, 15 to 18; without it one is started in the data folder",
    )
    database_owner_url: SecretStr | None = Field(
        None, description="the same database as the owner of the tables, for migrations only"
    )
    data_dir: Path = Field(
        Path("var"), description="folder of the embedded database, the key file and its log"
    )
    key_file: Path | None = Field(
        None, description="the key file; else keys.json in the data folder"
    )
    public_host: str = Field("127.0.0.1", description="address the public port listens on")
    public_port: Port = Field(8080, description="port for Meta's deliveries")
    internal_host: str = Field("127.0.0.1", description="address the internal port listens on")
    internal_port: Port = Field(8081, description="port for health and metrics; keep it closed")
    public_url: str | None = Field(
        None, description="how Meta reaches the public port, https://…; only shown, never called"
    )
    workers: int = Field(1, ge=1, le=64, description="processes that take deliveries")
    migrate_at_start: bool = Field(True, description="bring the tables up to date at start")
    body_limit: int = Field(
        4 * 1024 * 1024, ge=64 * 1024, le=64 * 1024 * 1024, description="largest delivery, bytes"
    )
    request_deadline: float = Field(
        10.0, ge=1, le=120, description="seconds for headers and body to arrive; then it is cut"
    )
    answer_within: float = Field(
        2.0, ge=0.1, le=60, description="seconds to commit a delivery; then 503 and Meta resends"
    )
    waiting_bytes: int = Field(
        64 * 1024 * 1024, ge=8 * 1024 * 1024, description="bodies waiting to be written, per worker"
    )
    log_level: str = Field("info", description="debug, info, warning or error")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read options of the command first, then the environment, and nothing else."""
        return init_settings, env_settings, _Files(settings_cls)

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        schemes = ("postgresql://", "postgres://")
        if value is not None and not value.get_secret_value().startswith(schemes):
            raise ValueError("an address begins with postgresql://user:password@host/database")
        return value

    @field_validator("log_level")
    @classmethod
    def _is_level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("take debug, info, warning or error")
        return value.lower()

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if self.public_port == self.internal_port:
            raise ValueError("the public and the internal port must differ: one is for the world")
        if self.database_owner_url is not None and self.database_url is None:
            raise ValueError("OPTLEDGER_DATABASE_OWNER_URL needs OPTLEDGER_DATABASE_URL too")
        return self


class _Files(PydanticBaseSettingsSource):
    """Values that stand in files, as container systems hand over secrets."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        del field
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        if path is None:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n"), field_name, False
        except (OSError, UnicodeDecodeError) as exc:
            name = f"{PREFIX}{field_name.upper()}_FILE"
            raise SettingsError(f"{name}: can't read {path}: {type(exc).__name__}") from exc

    def __call__(self) -> dict[str, Any]:
        values = {}
        for name in SECRETS:
            value, key, _ = self.get_field_value(None, name)
            if value is not None:
                values[key] = value
        return values


def load_settings(**given: Any) -> Settings:
    """Return the settings; `given` are options of the command, None where not given.

    Raises SettingsError, which lists everything that is wrong.
    """
    _refuse_unknown(os.environ)
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as exc:
        lines = []
        for error in exc.errors():
            name = PREFIX + "_".join(str(part) for part in error["loc"]).upper()
            lines.append(f"{name if error['loc'] else 'settings'}: {_plain(error['msg'])}")
        raise SettingsError("\n".join(lines)) from exc


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    names = {PREFIX + name.upper() for name in Settings.model_fields}
    files = {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}
    known = names | files
    for given in sorted(environ):
        name = given.upper()  # in small letters it would be taken too
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{given}: there is no such setting{meant}")
        if name in files and name.removesuffix("_FILE") in environ:
            raise SettingsError(f"{name}: given twice, with and without _FILE; keep one")


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def effective(settings: Settings) -> dict[str, tuple[str, str]]:
    """Return every setting's value, secrets masked, and what it is for."""
    shown = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        text = "********" if isinstance(value, SecretStr) else "" if value is None else str(value)
        shown[PREFIX + name.upper()] = (text, field.description or "")
    return shown

import os
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import PREFIX, SECRETS, Settings, SettingsError, effective, load_settings

URL = "postgresql://ledger:hunter2@db.internal/optledger"
OWNER_URL = "postgresql://owner:hunter3@db.internal/optledger"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def env(monkeypatch):
    def put(**names):
        for name, value in names.items():
            monkeypatch.setenv(PREFIX + name, str(value))

    return put


def test_without_any_setting_it_starts_closed_on_this_machine():
    settings = load_settings()
    assert settings.database_url is None
    assert (settings.public_host, settings.internal_host) == ("127.0.0.1", "127.0.0.1")
    assert (settings.public_port, settings.internal_port) == (8080, 8081)
    assert settings.data_dir == Path("var")
    assert settings.body_limit == 4 * 1024 * 1024


def test_the_environment_is_read_and_options_of_the_command_go_first(env):
    env(PUBLIC_PORT=9000, LOG_LEVEL="WARNING", DATABASE_URL=URL)
    settings = load_settings(public_port=9001, internal_port=None)
    assert (settings.public_port, settings.internal_port) == (9001, 8081)
    assert settings.log_level == "warning"
    assert settings.database_url.get_secret_value() == URL


def test_nothing_is_read_from_files_lying_around(env, monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("OPTLEDGER_PUBLIC_PORT=9000\n")
    monkeypatch.chdir(tmp_path)
    assert load_settings().public_port == 8080


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().public_port = 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(
            {"PUBLIK_PORT": 1},
            "OPTLEDGER_PUBLIK_PORT: there is no such setting; did you mean OPTLEDGER_PUBLIC_PORT?",
            id="a slip of the pen",
        ),
        pytest.param(
            {"DATABASE_URL_FIL": "x"}, "did you mean OPTLEDGER_DATABASE_URL_FILE?",
            id="a slip in the name of a file",
        ),
        pytest.param(
            {"PUBLIC_PORT_FILE": "x"}, "OPTLEDGER_PUBLIC_PORT_FILE: there is no such setting",
            id="only secrets are read from files",
        ),
        pytest.param({"XQZ": "1"}, "OPTLEDGER_XQZ: there is no such setting", id="nothing like it"),
        pytest.param({"PUBLIC_PORT": "0"}, "OPTLEDGER_PUBLIC_PORT: ", id="no port"),
        pytest.param({"PUBLIC_PORT": "65536"}, "OPTLEDGER_PUBLIC_PORT: ", id="beyond all ports"),
        pytest.param({"INTERNAL_PORT": "http"}, "OPTLEDGER_INTERNAL_PORT: ", id="no number"),
        pytest.param({"WORKERS": "0"}, "OPTLEDGER_WORKERS: ", id="nobody to work"),
        pytest.param({"WORKERS": "65"}, "OPTLEDGER_WORKERS: ", id="too many to work"),
        pytest.param({"BODY_LIMIT": "1"}, "OPTLEDGER_BODY_LIMIT: ", id="no delivery would fit"),
        pytest.param({"ANSWER_WITHIN": "0"}, "OPTLEDGER_ANSWER_WITHIN: ", id="no time to answer"),
        pytest.param({"ANSWER_WITHIN": "nan"}, "OPTLEDGER_ANSWER_WITHIN: ", id="no number at all"),
        pytest.param({"REQUEST_DEADLINE": "inf"}, "OPTLEDGER_REQUEST_DEADLINE: ", id="for ever"),
        pytest.param({"WAITING_BYTES": "1"}, "OPTLEDGER_WAITING_BYTES: ", id="no room to wait"),
        pytest.param({"MIGRATE_AT_START": "perhaps"}, "OPTLEDGER_MIGRATE_AT_START: ", id="no yes"),
        pytest.param(
            {"LOG_LEVEL": "loud"}, "OPTLEDGER_LOG_LEVEL: take debug, info, warning or error",
            id="no level",
        ),
        pytest.param(
            {"DATABASE_URL": "mysql://ledger:hunter2@db/x"},
            "OPTLEDGER_DATABASE_URL: an address begins with postgresql://user:password@",
            id="another database",
        ),
        pytest.param(
            {"DATABASE_URL": ""}, "OPTLEDGER_DATABASE_URL: an address begins with",
            id="an empty address",
        ),
        pytest.param(
            {"PUBLIC_PORT": "8081"},
            "settings: the public and the internal port must differ: one is for the world",
            id="both doors in one place",
        ),
        pytest.param(
            {"DATABASE_OWNER_URL": OWNER_URL},
            "settings: OPTLEDGER_DATABASE_OWNER_URL needs OPTLEDGER_DATABASE_URL too",
            id="an owner of nothing",
        ),
    ],
)  # fmt: skip
def test_what_we_refuse_is_told_by_name_and_without_its_value(env, given, told):
    env(**given)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert told in str(refused.value)
    assert "hunter" not in str(refused.value)
    assert "Value error" not in str(refused.value)


def test_everything_that_is_wrong_is_told_at_once(env):
    env(PUBLIC_PORT=0, WORKERS=0, LOG_LEVEL="loud")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    names = [line.split(":")[0] for line in str(refused.value).splitlines()]
    assert names == ["OPTLEDGER_PUBLIC_PORT", "OPTLEDGER_WORKERS", "OPTLEDGER_LOG_LEVEL"]


def test_a_refused_address_does_not_show_in_a_traceback(env):
    env(DATABASE_URL="mysql://ledger:hunter2@db/x")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


def test_a_slip_in_small_letters_is_told_too(monkeypatch):
    monkeypatch.setenv("optledger_public_port", "9000")
    assert load_settings().public_port == 9000
    monkeypatch.setenv("optledger_publik_port", "9001")
    with pytest.raises(SettingsError, match="no such setting"):
        load_settings()


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param("", id="a file that ends with the secret"),
        pytest.param("\n", id="or with a line's end"),
        pytest.param("\r\n", id="as Windows writes it"),
    ],
)
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_stand_in_a_file(env, tmp_path, name, ending):
    path = tmp_path / "secret"
    path.write_bytes(URL.encode() + ending.encode())
    env(**{f"{name.upper()}_FILE": path})
    if name != "database_url":
        env(DATABASE_URL=URL)
    assert getattr(load_settings(), name).get_secret_value() == URL


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_given_twice_is_refused(env, tmp_path, name):
    env(**{name.upper(): URL, f"{name.upper()}_FILE": tmp_path / "secret"})
    told = f"{PREFIX}{name.upper()}_FILE: given twice, with and without _FILE; keep one"
    with pytest.raises(SettingsError, match=told):
        load_settings()


def test_a_file_that_is_missing_or_no_text_is_named(env, tmp_path):
    env(DATABASE_URL_FILE=tmp_path / "missing")
    with pytest.raises(SettingsError, match=r"OPTLEDGER_DATABASE_URL_FILE: can't read .*missing"):
        load_settings()
    (tmp_path / "missing").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="UnicodeDecodeError"):
        load_settings()


def test_what_is_shown_is_every_setting_with_secrets_masked(env):
    env(DATABASE_URL=URL, DATABASE_OWNER_URL=OWNER_URL, PUBLIC_PORT=9000)
    shown = effective(load_settings())
    assert set(shown) == {PREFIX + name.upper() for name in Settings.model_fields}
    assert shown["OPTLEDGER_PUBLIC_PORT"][0] == "9000"
    assert shown["OPTLEDGER_KEY_FILE"][0] == ""
    assert shown["OPTLEDGER_DATABASE_URL"][0] == "********"
    assert shown["OPTLEDGER_DATABASE_OWNER_URL"][0] == "********"
    assert all(what for _, what in shown.values())


def test_no_secret_shows(env):
    env(DATABASE_URL=URL, DATABASE_OWNER_URL=OWNER_URL)
    settings = load_settings()
    for shown in (
        repr(settings),
        str(settings),
        str(effective(settings)),
        settings.model_dump_json(),
    ):
        assert "hunter" not in shown


def test_every_secret_is_a_setting_that_is_masked():
    masked = {
        name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)
    }
    assert set(SECRETS) == masked

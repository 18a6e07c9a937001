import base64
import json
import os
import re
import stat
import traceback

import pytest

from db.keyfile import KeyFileError, Keys, make_key_file, read_key_file

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(32, 64))).decode()


def content(**changed):
    masters = [{"id": "aaaa0001", "key": KEY, "made_at": "2025-06-01"}]
    return {"version": 1, "index_key": OTHER, "master_keys": masters, **changed}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


def put(path, text, mode=0o600):
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def test_a_key_file_is_made_once_and_for_us_alone(path):
    old = os.umask(0)
    try:
        keys = make_key_file(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key_file(path) == keys
    assert len(keys.index_key) == 32
    assert [len(key) for key in keys.masters.values()] == [32]
    assert keys.master_id in keys.masters
    assert keys.index_key not in keys.masters.values()
    assert "Keep a copy" in json.loads(path.read_text())["about"]


def test_a_folder_that_is_missing_is_made(tmp_path):
    assert make_key_file(tmp_path / "data" / "var" / "keys.json").index_key


def test_two_key_files_have_nothing_in_common(tmp_path):
    one, other = (make_key_file(tmp_path / name) for name in ("one", "other"))
    assert one.fingerprint != other.fingerprint
    assert one.index_key != other.index_key
    assert one.master_id != other.master_id


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(json.dumps(content()), id="a key file"),
        pytest.param("", id="an empty file"),
    ],
)
def test_a_file_that_is_there_is_never_written_over(path, there):
    put(path, there)
    with pytest.raises(KeyFileError, match="exists already; it is never written over"):
        make_key_file(path)
    assert path.read_text() == there


def test_a_link_to_somewhere_is_not_followed(path, tmp_path):
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match="exists already"):
        make_key_file(path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_we_may_not_write_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(KeyFileError, match=r"can't write the key file .*Permission denied"):
        make_key_file(tmp_path / "keys.json")


def test_a_data_folder_that_is_a_file_is_told_as_such(tmp_path):
    (tmp_path / "var").write_text("")
    with pytest.raises(KeyFileError, match="is a file, not a folder"):
        make_key_file(tmp_path / "var" / "keys.json")


def test_a_missing_key_file_is_told_with_both_ways_out(path):
    with pytest.raises(KeyFileError) as told:
        read_key_file(path)
    message = str(told.value)
    assert str(path) in message
    assert "set OPTLEDGER_KEY_FILE" in message
    assert "put your copy of it back" in message
    assert not path.exists()


@pytest.mark.parametrize(
    ("mode", "opens"),
    [
        pytest.param(0o600, True, id="we alone"),
        pytest.param(0o400, True, id="we alone, and only reading"),
        pytest.param(0o640, True, id="our group, as container systems mount secrets"),
        pytest.param(0o604, False, id="everybody may read"),
        pytest.param(0o602, False, id="everybody may write"),
        pytest.param(0o601, False, id="everybody may run"),
        pytest.param(0o644, False, id="as editors save"),
    ],
)
def test_a_key_file_open_to_others_is_refused(path, mode, opens):
    put(path, json.dumps(content()), mode)
    if opens:
        assert read_key_file(path).master_id == "aaaa0001"
        return
    with pytest.raises(KeyFileError, match="run chmod 600 on it"):
        read_key_file(path)


SHORT = base64.b64encode(bytes(31)).decode()
LONG = base64.b64encode(bytes(33)).decode()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", "damaged", id="empty"),
        pytest.param(json.dumps(content())[:-20], "damaged", id="cut short"),
        pytest.param("[]", "damaged", id="a list"),
        pytest.param("null", "damaged", id="null"),
        pytest.param(json.dumps(content(index_key=SHORT)), "damaged", id="a byte too few"),
        pytest.param(json.dumps(content(index_key=LONG)), "damaged", id="a byte too many"),
        pytest.param(json.dumps(content(index_key="")), "damaged", id="no bytes"),
        pytest.param(json.dumps(content(index_key=None)), "damaged", id="no key"),
        pytest.param(json.dumps(content(index_key=7)), "damaged", id="a number"),
        pytest.param(json.dumps(content(index_key=KEY + "!")), "damaged", id="a letter too many"),
        pytest.param(json.dumps(content(index_key="ä" * 44)), "damaged", id="letters of no code"),
        pytest.param(json.dumps(content(master_keys=None)), "damaged", id="no masters"),
        pytest.param(json.dumps(content(master_keys={"a": KEY})), "damaged", id="another form"),
        pytest.param(json.dumps(content(master_keys=[{"id": "a"}])), "damaged", id="half a master"),
        pytest.param(json.dumps(content(master_keys=[{"key": KEY}])), "damaged", id="without id"),
        pytest.param(
            json.dumps(content(master_keys=[{"id": "a", "key": SHORT}])), "damaged",
            id="a short master",
        ),
        pytest.param(json.dumps(content(master_keys=[])), "holds no master key", id="none left"),
        pytest.param('{"index_key": "' + OTHER + '"}', "damaged", id="half a file"),
        pytest.param("{" + '"a":' * 3, "damaged", id="no JSON"),
    ],
)  # fmt: skip
def test_a_damaged_key_file_is_told_with_the_way_out(path, text, told):
    put(path, text)
    with pytest.raises(KeyFileError, match=rf"{told}.* put your copy of it back") as raised:
        read_key_file(path)
    everything = "".join(traceback.format_exception(raised.value))
    assert KEY not in everything
    assert OTHER not in everything


def test_a_file_that_is_no_text_is_told(path):
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"can't read the key file .*not a text file"):
        read_key_file(path)


def test_a_folder_in_its_place_is_told(tmp_path):
    with pytest.raises(KeyFileError, match="can't read the key file"):
        read_key_file(tmp_path)


def test_the_last_master_key_is_in_use_and_older_ones_stay(path):
    masters = [{"id": "zzzz", "key": KEY}, {"id": "aaaa", "key": OTHER}]
    put(path, json.dumps(content(master_keys=masters)))
    keys = read_key_file(path)
    assert keys.master_id == "aaaa"
    assert keys.masters == {"zzzz": bytes(range(32)), "aaaa": bytes(range(32, 64))}


def test_no_key_shows():
    keys = Keys(index_key=b"\x07" * 32, masters={"a": b"\x08" * 32})
    assert repr(keys) == "Keys()"
    assert str(keys) == "Keys()"
    assert re.fullmatch(r"[0-9a-f]{16}", keys.fingerprint)
    assert keys.fingerprint != keys.index_key.hex()[:16]


def test_a_fingerprint_tells_the_index_key_and_not_the_masters():
    keys = Keys(index_key=b"\x07" * 32, masters={"a": b"\x08" * 32})
    assert keys.fingerprint == Keys(b"\x07" * 32, {"b": b"\x09" * 32}).fingerprint
    assert keys.fingerprint != Keys(b"\x06" * 32, keys.masters).fingerprint

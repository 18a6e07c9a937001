import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.signature import Verifier, sign

SECRET = b"test_app_secret"
BODY = b'{"object":"whatsapp_business_account","entry":[]}'
GOOD = b"sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        pytest.param(BODY, GOOD[7:], id="an empty delivery"),
        pytest.param(
            b'{"text":{"body":"p\\u00e1rar \\ud83d\\uded1"}}',
            b"b18229e9b4d9f65dcb77075f28156374a1c892fc4dadd0ec787facfce1f42075",
            id="escapes are signed as they were sent",
        ),
        pytest.param(
            '{"text":{"body":"párar 🛑"}}'.encode(),
            b"a009f11da7e4bd22eb95985352fc7d12efd489a08710f8cac882d7cb62d1416a",
            id="so is UTF-8",
        ),
    ],
)
def test_known_signatures(body, digest):
    assert sign(SECRET, body) == b"sha256=" + digest
    assert Verifier([SECRET]).verify(body, b"sha256=" + digest)


@pytest.mark.parametrize(
    ("secrets", "accepted"),
    [
        pytest.param([SECRET], True, id="the only secret"),
        pytest.param([b"new", SECRET], True, id="the secret before the rotation"),
        pytest.param([SECRET, b"old"], True, id="the secret after the rotation"),
        pytest.param([b"new", b"old"], False, id="neither of two secrets"),
        pytest.param([b"\0" * 32], False, id="a secret of zeros, which signs like an empty one"),
        pytest.param([], False, id="no secret"),
        pytest.param([b""], False, id="an empty secret"),
        pytest.param([b"", SECRET], True, id="an empty secret does not stop a real one"),
    ],
)
def test_active_secrets(secrets, accepted):
    assert Verifier(secrets).verify(BODY, GOOD) is accepted


@pytest.mark.parametrize("secret", [b"", b"\0", b"\0" * 64])
def test_an_empty_secret_accepts_not_even_what_it_signed(secret):
    signed = b"sha256=" + hmac.new(secret, BODY, hashlib.sha256).hexdigest().encode()
    assert not Verifier([secret]).verify(BODY, signed)
    with pytest.raises(ValueError, match="empty"):
        sign(secret, BODY)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="no header"),
        pytest.param(b"", id="an empty header"),
        pytest.param(GOOD[7:], id="no prefix"),
        pytest.param(b"sha1=" + GOOD[7:], id="another prefix"),
        pytest.param(b"SHA256=" + GOOD[7:], id="the prefix in upper case"),
        pytest.param(b"sha256=" + GOOD[7:].upper(), id="hex in upper case"),
        pytest.param(GOOD[:-1], id="one digit short"),
        pytest.param(GOOD + b"0", id="one digit more"),
        pytest.param(GOOD + b"\n", id="a line end"),
        pytest.param(b" " + GOOD, id="a space before"),
        pytest.param(GOOD + b"," + GOOD, id="two of them"),
        pytest.param(b"sha256=" + b"g" * 64, id="no hex"),
        pytest.param(b"sha256=" + "é".encode() * 32, id="no ASCII"),
        pytest.param(b"sha256=" + b"0" * 64, id="another signature"),
        pytest.param(
            b"sha1=" + hmac.new(SECRET, BODY, hashlib.sha1).hexdigest().encode(),
            id="the legacy SHA-1 signature, right as it is",
        ),
    ],
)
def test_refused_headers(header):
    assert Verifier([SECRET]).verify(BODY, header) is False


@given(st.binary(max_size=200), st.binary(max_size=80))
def test_any_header_over_any_body_is_refused_without_an_exception(body, header):
    assert Verifier([SECRET]).verify(body, header) is False


@given(st.binary(max_size=200).filter(lambda secret: secret.strip(b"\0")), st.binary(max_size=1000))
def test_what_is_signed_verifies_again_and_again(secret, body):
    verifier = Verifier([b"another", secret])
    expected = hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
    assert sign(secret, body) == b"sha256=" + expected
    assert verifier.verify(body, b"sha256=" + expected)
    assert verifier.verify(body, b"sha256=" + expected)
    assert not verifier.verify(body + b" ", b"sha256=" + expected)

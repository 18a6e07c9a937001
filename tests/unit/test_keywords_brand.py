"""The brand's name beside a request."""

import pytest

from keywords.brand import BadBrandError, Brand, check
from keywords.matcher import load_matcher

ACME = Brand(["Acme", "Acme Shop", "अक्मे"])


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        pytest.param("STOP Acme", "STOP     ", id="after"),
        pytest.param("acme shop stop", "          stop", id="before, the longer name first"),
        pytest.param("ACME, stop", "    , stop", id="in capitals"),
        pytest.param("stop अक्मे!", "stop      !", id="in another script"),
        pytest.param("stop acmeology", None, id="inside a word"),
        pytest.param("stop", None, id="not there"),
    ],
)
def test_names_are_taken_out(text, bare):
    assert ACME.without(text) == bare


@pytest.mark.parametrize("text", ["STOP Acme", "Acme: stop", "please stop acme shop, thanks"])
def test_a_stop_said_to_the_brand_is_a_stop_where_it_stands(text):
    bare = ACME.without(text)
    assert bare is not None
    found = load_matcher().decide(bare)
    assert found.tier == "certain"
    assert text[slice(*found.span)].casefold().startswith(("stop", "please"))


@pytest.mark.parametrize("name", ["", "x", "!!", "n" * 61])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(BadBrandError):
        check([name])


def test_too_many_names_are_refused():
    with pytest.raises(BadBrandError, match="at most 20"):
        check([f"name {number}" for number in range(21)])

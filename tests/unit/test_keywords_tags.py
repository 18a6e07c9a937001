"""Languages by other names."""

import pytest

from keywords.matcher import load_matcher
from keywords.tags import _TAG_OF, tag_of


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        pytest.param("pt", "pt", id="as the pack"),
        pytest.param("pt-BR", "pt", id="a region"),
        pytest.param("ZH_Hant_TW", "zh", id="a script, other signs"),
        pytest.param("deu", "de", id="three letters"),
        pytest.param("fil", "tl", id="Filipino"),
        pytest.param("no", "nb", id="Norwegian"),
        pytest.param("iw", "he", id="an old code"),
        pytest.param("tlh", "tlh", id="a language without a pack"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_language_by_any_name(name, tag):
    assert tag_of(name) == tag


def test_every_other_name_is_of_a_pack_and_every_pack_has_three_letters():
    packs = set(load_matcher().lexicon.grammars) - {"mul"}
    assert set(_TAG_OF.values()) == packs
    assert not packs & _TAG_OF.keys()


def test_an_app_may_name_its_languages_so():
    decide = load_matcher().decide
    assert decide("baja", languages=["spa"]).tier == "likely"
    assert decide("baja", languages=["eng"]).tier == "none"

"""The packs: they can be read, they agree with one another, and complaints say what to do."""

import re

import pytest

from consent.model import Switch
from keywords.collisions import everyday, opposites
from keywords.decision import Intent, Tier
from keywords.making import make_lexicon
from keywords.matcher import load_matcher
from keywords.pack import (
    COMMON,
    PACKS,
    BadPack,
    Kind,
    read_pack,
    read_packs,
    spelled_out,
)
from tests import terms

HEAD = 'language = "xx"\nname = "X"\nscripts = ["Latn"]\ncountries = ["DE"]\n'
TERM = (
    '[[terms]]\nintent = "opt_out"\nkind = "word"\ntier = "certain"\nsource = "s"\nsay = ["halt"]\n'
)


@pytest.fixture(scope="module")
def packs():
    return read_packs()[0]


def test_the_packs_of_the_first_six_languages_are_there(packs):
    assert {"mul", "en", "es", "pt", "fr", "ar", "hi"} <= {pack.language for pack in packs}


def test_no_word_asks_to_stop_in_one_language_and_to_start_in_another(packs):
    assert opposites(packs) == []


def test_the_page_of_terms_is_up_to_date():
    assert terms.PAGE.read_text("utf-8") == terms.page(), "run make terms"


def test_a_collision_names_both():
    one = read_pack("xx.toml", HEAD + TERM)
    start = TERM.replace("opt_out", "opt_in").replace("halt", "HALT")
    other = read_pack("yy.toml", HEAD.replace("xx", "yy") + start)
    (line,) = opposites([one, other])
    assert "xx 'halt'" in line
    assert "yy 'HALT'" in line


def test_no_certain_word_is_an_everyday_word_elsewhere(packs):
    assert everyday(packs) == []


def test_an_everyday_word_names_both():
    one = read_pack("xx.toml", HEAD + TERM)
    other = read_pack("yy.toml", HEAD.replace("xx", "yy") + '[words]\ncourtesy = ["Halt"]\n')
    assert everyday([one, other]) == ["xx 'halt' (opt_out) is courtesy in yy"]


def test_every_term_has_a_source(packs):
    assert [t.say for pack in packs for t in pack.terms if not t.source.strip()] == []


def test_opt_in_is_closed_and_never_a_bare_yes(packs):
    starts = {t.text for pack in packs for t in pack.terms if t.intent is Intent.OPT_IN}
    assert starts.isdisjoint(
        {
            "yes",
            "si",
            "sim",
            "oui",
            "haan",
            "हां",
            "نعم",
            "ok",
            "1",
            "👍",
            "alta",
            "receber",
            "recibir",
        }
    )


def test_an_opt_in_never_counts_inside_a_longer_text(packs):
    assert not any(t.anywhere for pack in packs for t in pack.terms if t.intent is Intent.OPT_IN)


def test_every_language_can_ask_all_three(packs):
    for pack in packs:
        if pack.language != COMMON:
            assert {t.intent for t in pack.terms} == {Intent.OPT_OUT, Intent.OPT_IN, Intent.HELP}


def test_stop_promotions_labels_move_marketing_only(packs):
    labels = [t for pack in packs for t in pack.terms if t.kind is Kind.BUTTON]
    assert {t.switch for t in labels} == {Switch.MARKETING}


def test_certain_words_of_the_seven_are_certain_under_calling_code_one(packs):
    seven = {"stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"}
    held = {
        t.text for p in packs for t in p.terms if t.tier is Tier.CERTAIN or "US" in t.certain_in
    }
    assert seven <= held


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param("=", "mend the TOML", id="not TOML"),
        pytest.param(HEAD.replace("name", "nome"), "no name; add it", id="a key is missing"),
        pytest.param(HEAD + "colour = 1\n", "unknown colour", id="a key is unknown"),
        pytest.param(HEAD.replace('"xx"', '"yy"'), "name the file after", id="another language"),
        pytest.param(HEAD.replace("DE", "Germany"), "two capital letters", id="no country code"),
        pytest.param(HEAD + TERM.replace("certain", "sure"), "term 'halt', tier", id="no tier"),
        pytest.param(HEAD + TERM.replace('"word"', '"verb"'), "use one of word", id="no kind"),
        pytest.param(HEAD + TERM.replace('"halt"', '"?!"'), "nothing is left", id="only signs"),
        pytest.param(
            HEAD + TERM.replace('"halt"', '"halt", "HALT"'), "remove one of them", id="said twice"
        ),
        pytest.param(
            HEAD + TERM.replace("opt_out", "opt_in").replace("certain", "likely"),
            "no guesses",
            id="a likely opt-in",
        ),
        pytest.param(
            HEAD + '[words]\n"Two Words" = ["a"]\n', "small letters", id="a role is no name"
        ),
    ],
)
def test_a_bad_pack_says_where_and_what_to_do(content, complaint):
    with pytest.raises(BadPack, match=re.escape(complaint)) as caught:
        read_pack("xx.toml", content)
    assert str(caught.value).startswith("xx.toml: ")


@pytest.mark.parametrize(
    ("say", "complaint"),
    [
        pytest.param("stop meat", "no words for 'meat'", id="a role without words"),
        pytest.param("filler", "only words that are everywhere", id="nothing to search for"),
    ],
)
def test_a_phrase_that_cannot_work_is_refused(say, complaint):
    words = '[words]\nstop = ["halt"]\nfiller = ["a"]\n'
    phrase = f'[[phrases]]\ntier = "certain"\nsource = "s"\nsay = ["{say}"]\n'
    with pytest.raises(BadPack, match=re.escape(complaint)):
        make_lexicon([read_pack("xx.toml", HEAD + words + phrase)])


def test_braces_stand_for_every_choice():
    assert list(spelled_out("env{í,i}{a,en}")) == ["envía", "envíen", "envia", "envien"]
    assert list(spelled_out("opt{-,}in")) == ["opt-in", "optin"]


def test_digest_is_of_what_the_packs_say_and_not_of_their_layout(tmp_path):
    for path in PACKS.glob("*.toml"):
        (tmp_path / path.name).write_text(f"# moved\n{path.read_text('utf-8')}\n\n", "utf-8")
    same = load_matcher(tmp_path)
    assert same.digest == load_matcher().digest
    assert re.fullmatch("[0-9a-f]{64}", same.digest)
    assert same.version
    changed = tmp_path / "en.toml"
    changed.write_text(changed.read_text("utf-8").replace('"halt"', '"halte"'), "utf-8")
    assert load_matcher(tmp_path).digest != same.digest

"""An app's own words: what they match, beside what, and which are refused."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.model import Surface, Switch
from keywords.decision import NOTHING, Intent, Tier
from keywords.making import make_lexicon
from keywords.matcher import load_matcher
from keywords.own import OWN, BadOwnWordError, OwnTerm, OwnWords, check
from keywords.pack import read_pack

MATCHER = load_matcher()
OUT, IN, HELP = Intent.OPT_OUT, Intent.OPT_IN, Intent.HELP
SURE, LIKELY, NONE = Tier.CERTAIN, Tier.LIKELY, Tier.NONE
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=120)


def term(say, intent=OUT, tier=SURE, switch=Switch.ALL):
    return OwnTerm(f"id of {say}", say, intent, tier, None if intent is HELP else switch)


def own(*terms):
    return OwnWords(terms, MATCHER.lexicon)


WORDS = own(
    term("Adiós"),
    term("Adiós promos", switch=Switch.MARKETING),
    term("basta ya", tier=LIKELY),
    term("club dorado", IN, switch=Switch.MARKETING),
    term("asesor", HELP),
    term("👋"),
    term("再见"),
    term("LINE再见"),
    term("b4ja"),
    term("ลาก่อน"),
)


@pytest.mark.parametrize(
    ("text", "tier", "say"),
    [
        pytest.param("adios", SURE, "Adiós", id="without its accent"),
        pytest.param("ADIÓS!!!", SURE, "Adiós", id="shouted"),
        pytest.param("  Adiós  ", SURE, "Adiós", id="with blanks around it"),
        pytest.param("adiosss", SURE, "Adiós", id="a letter stretched"),
        pytest.param("a d i o s", SURE, "Adiós", id="letter by letter"),
        pytest.param("аdiоs", SURE, "Adiós", id="letters of another script that look alike"),
        pytest.param("ad1os", SURE, "Adiós", id="a digit for a letter"),
        pytest.param("b4ja", SURE, "b4ja", id="a word with a digit of its own"),
        pytest.param("Por favor, adiós. Gracias", SURE, "Adiós", id="with courtesy"),
        pytest.param("adios thank you", SURE, "Adiós", id="courtesy of another language"),
        pytest.param("adiós 🙏🏽", SURE, "Adiós", id="an emoji beside it"),
        pytest.param("adiós adiós", SURE, "Adiós", id="said twice"),
        pytest.param("adios promos", SURE, "Adiós promos", id="the longer word"),
        pytest.param("adios, promos", SURE, "Adiós promos", id="across a comma"),
        pytest.param("adios. promos", NONE, "", id="not across the end of a sentence"),
        pytest.param("basta ya", LIKELY, "basta ya", id="a likely one"),
        pytest.param("adiós?", LIKELY, "Adiós", id="a question is less sure"),
        pytest.param("basta ya?", NONE, "", id="a likely question is nothing"),
        pytest.param("club dorado", SURE, "club dorado", id="an opt-in"),
        pytest.param("club dorado?", NONE, "", id="an opt-in is never asked"),
        pytest.param("asesor?", LIKELY, "asesor", id="help may be asked for"),
        pytest.param("👋", SURE, "👋", id="an emoji"),
        pytest.param("👋🏽👋🏽", SURE, "👋", id="an emoji of a colour, twice"),
        pytest.param("再见", SURE, "再见", id="Chinese"),
        pytest.param("再见再见", SURE, "再见", id="Chinese, twice without a space"),
        pytest.param("再见订单", NONE, "", id="Chinese with more"),
        pytest.param("line 再见", SURE, "LINE再见", id="two scripts in one word"),
        pytest.param("ลาก่อน", SURE, "ลาก่อน", id="Thai"),
        pytest.param("adiós pedido", NONE, "", id="another word beside it"),
        pytest.param("no adiós", NONE, "", id="a negation is another word"),
        pytest.param("adiosito", NONE, "", id="only the beginning of a word"),
        pytest.param("promos", NONE, "", id="only a part of it"),
        pytest.param("adiós club dorado", NONE, "", id="two words at once"),
        pytest.param("gracias", NONE, "", id="courtesy alone"),
        pytest.param("", NONE, "", id="nothing"),
        pytest.param("adiós " * 60, NONE, "", id="too long"),
    ],
)
def test_what_people_write(text, tier, say):
    found = WORDS.decide(text)
    assert (found.tier, found.term) == (tier, say)
    assert found is NOTHING or found.language == OWN


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("Por favor, ADIÓS!", "ADIÓS", id="in the middle"),
        pytest.param("gracias, a d i ó s", "a d i ó s", id="letter by letter"),
        pytest.param("再见再见", "再见", id="without spaces"),
        pytest.param("adios  promos", "adios  promos", id="two blanks"),
    ],
)
def test_the_span_is_as_written(text, written):
    start, end = WORDS.decide(text).span
    assert text[start:end] == written


@pytest.mark.parametrize(
    ("text", "surface", "tier"),
    [
        pytest.param("Adiós", Surface.BUTTON, SURE, id="a label"),
        pytest.param("ADIOS", Surface.BUTTON_PAYLOAD, SURE, id="a hidden value"),
        pytest.param("adiós_promos", Surface.LIST_ROW_ID, SURE, id="a value, signs apart"),
        pytest.param("👋", Surface.LIST_ROW, SURE, id="an emoji on a row"),
        pytest.param("basta ya", Surface.BUTTON, LIKELY, id="a likely one"),
        pytest.param("Adiós, gracias", Surface.BUTTON, NONE, id="no courtesy on a label"),
        pytest.param("ad1os", Surface.BUTTON, NONE, id="nobody mistypes a label"),
        pytest.param("adiós gracias", Surface.CAPTION, SURE, id="a caption is written"),
        pytest.param("adiós", Surface.SYSTEM, NONE, id="a notice of WhatsApp's says nothing"),
        pytest.param("adiós", Surface.PREFERENCE, NONE, id="nor does a preference"),
    ],
)
def test_surface(text, surface, tier):
    assert WORDS.decide(text, surface).tier is tier


UNSPACED_PACK = """
language = "xx"
name = "X"
scripts = ["Hans"]
countries = ["SG"]
spaces = false
[words]
courtesy = ["请", "谢谢"]
"""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("请再见谢谢", "再见", id="on both sides"),
        pytest.param("再见，谢谢！", "再见", id="after a comma"),
        pytest.param("再见谢谢订单", "", id="and more"),
    ],
)
def test_courtesy_in_a_script_without_spaces(text, written):
    lexicon = make_lexicon([read_pack("xx.toml", UNSPACED_PACK)])
    start, end = OwnWords([term("再见")], lexicon).decide(text).span
    assert text[start:end] == written


def test_a_decision_names_intent_switch_and_the_id_of_the_word():
    found = WORDS.decide("adios promos")
    assert (found.intent, found.switch) == (OUT, Switch.MARKETING)
    assert WORDS.id_of(found) == "id of Adiós promos"
    assert WORDS.decide("asesor").switch is None


@given(ANY_TEXT)
def test_any_string_is_decided(text):
    for surface in Surface:
        start, end = WORDS.decide(text, surface).span
        assert 0 <= start <= end <= len(text)


def test_500_words_cost_little():
    many = own(*(term(f"palabra{n:03d} propia") for n in range(500)))
    texts = ["hola, ¿dónde está mi pedido 4711?", "ok gracias", "nos vemos mañana a las 5"]
    began = time.perf_counter()
    for _ in range(1000):
        for text in texts:
            many.decide(text)
    each = (time.perf_counter() - began) / 3000
    assert each < 100e-6  # here 3 to 10 µs


# Which are taken


@pytest.mark.parametrize(
    ("say", "intent", "tier", "folded"),
    [
        pytest.param("Adiós", OUT, SURE, "adios", id="a stop"),
        pytest.param("STOP", OUT, SURE, "stop", id="one that the packs know as the same"),
        pytest.param("cancel", OUT, SURE, "cancel", id="one they are less sure of"),
        pytest.param("👋🏽", OUT, LIKELY, "👋", id="an emoji"),
        pytest.param("no", OUT, LIKELY, "no", id="an everyday word may ask to stop"),
        pytest.param("asesor", HELP, LIKELY, "asesor", id="likely help"),
        pytest.param("club dorado", IN, SURE, "club dorado", id="an opt-in that says what"),
        pytest.param("再见", OUT, SURE, "再见", id="two signs of Chinese"),
        pytest.param("help", OUT, SURE, "help", id="what the packs take for help"),
        pytest.param("x" * 100, OUT, SURE, "x" * 100, id="100 characters"),
    ],
)
def test_words_that_are_taken(say, intent, tier, folded):
    assert check(say, intent=intent, tier=tier, matcher=MATCHER) == folded


@pytest.mark.parametrize(
    ("say", "intent", "tier", "told"),
    [
        pytest.param("x", OUT, SURE, "too little", id="one letter"),
        pytest.param("?!", OUT, SURE, "too little", id="no letter"),
        pytest.param("", OUT, SURE, "1 to 100", id="nothing"),
        pytest.param("x" * 101, OUT, SURE, "1 to 100", id="101 characters"),
        pytest.param("a\nb", OUT, SURE, "one line", id="two lines"),
        pytest.param("caf\udce9", OUT, SURE, "one line", id="bytes that are no text"),
        pytest.param("club dorado", IN, LIKELY, "never lifts", id="a likely opt-in"),
        pytest.param("yes", IN, SURE, "all day", id="yes"),
        pytest.param("OK", IN, SURE, "all day", id="ok"),
        pytest.param("Sí", IN, SURE, "all day", id="with an accent"),
        pytest.param("👍🏽", IN, SURE, "all day", id="a thumb"),
        pytest.param("12", IN, SURE, "all day", id="a number"),
        pytest.param("I agree", IN, SURE, "all day", id="I agree"),
        pytest.param("ठीक है", IN, SURE, "all day", id="Hindi"),
        pytest.param("gracias", IN, SURE, "all day", id="courtesy"),
        pytest.param("STOP", IN, SURE, "'stop' in the pack", id="the packs' stop as an opt-in"),
        pytest.param("stop", HELP, SURE, "opt_out already", id="nor as help"),
        pytest.param("START", OUT, SURE, "'start' in the pack", id="the packs' start as a stop"),
        pytest.param("fin", IN, SURE, "in the pack", id="a stop of one language"),
        pytest.param("no me escriban más", IN, SURE, "in the pack", id="a sentence"),
        pytest.param("opt_out", IN, SURE, "opt_out already", id="a value of a button"),
    ],
)
def test_words_that_are_refused(say, intent, tier, told):
    with pytest.raises(BadOwnWordError, match=told):
        check(say, intent=intent, tier=tier, matcher=MATCHER)

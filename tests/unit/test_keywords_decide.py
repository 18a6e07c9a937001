"""Deciding: what people write, and what it asks for."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.model import Surface, Switch
from keywords.decision import NOTHING, Decision, Intent, Tier
from keywords.matcher import load_matcher

MATCHER = load_matcher()
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)
OURS = "stop don't messages please baja recibir ? . unsubscribe me list remove START no quiero"
SPOKEN = st.sampled_from(
    [*OURS.split(), "मैसेज", "मत", "भेजो", "لا", "رسائل", "🛑", "st0p", "S T O P"]
)


def decide(text, **known) -> Decision:
    return MATCHER.decide(text, **known)


@pytest.mark.parametrize(
    ("word", "languages", "country", "tier"),
    [
        pytest.param("STOP", (), None, Tier.CERTAIN, id="STOP is certain everywhere"),
        pytest.param("STOP", ("hu",), "HU", Tier.CERTAIN, id="STOP in a language without a pack"),
        pytest.param("cancel", (), "US", Tier.CERTAIN, id="cancel is certain in the US"),
        pytest.param("cancel", ("es",), "US", Tier.CERTAIN, id="whatever the app serves"),
        pytest.param("End", (), "JM", Tier.CERTAIN, id="all of calling code 1 are alike"),
        pytest.param("cancel", ("en",), "GB", Tier.LIKELY, id="cancel elsewhere is a question"),
        pytest.param("end", (), None, Tier.LIKELY, id="nothing known: at most likely"),
        pytest.param("cancel", ("pt",), "BR", Tier.NONE, id="cancel where nobody speaks English"),
        pytest.param("baja", ("es",), None, Tier.LIKELY, id="baja where the app serves Spanish"),
        pytest.param("baja", ("es-MX",), None, Tier.LIKELY, id="a region does not matter"),
        pytest.param("baja", (), "MX", Tier.LIKELY, id="baja from Mexico"),
        pytest.param("baja", ("en",), "GB", Tier.NONE, id="baja from Britain"),
        pytest.param("fin", ("de",), "DE", Tier.NONE, id="fin in Germany is not French"),
        pytest.param("désabonner", ("en",), "GB", Tier.CERTAIN, id="no other word is spelt so"),
        pytest.param("no me escriban más", (), "JP", Tier.CERTAIN, id="a phrase counts anywhere"),
    ],
)
def test_a_bare_word_acts_where_it_is_spoken(word, languages, country, tier):
    assert decide(word, languages=languages, country=country).tier is tier


@pytest.mark.parametrize(
    ("text", "surface", "intent", "switch"),
    [
        pytest.param("Stop promotions", "button", "opt_out", "marketing", id="label in English"),
        pytest.param("Parar promoções", "button", "opt_out", "marketing", id="in Portuguese"),
        pytest.param("Detener promociones", "button", "opt_out", "marketing", id="in Spanish"),
        pytest.param("Arrêter les promotions", "button", "opt_out", "marketing", id="in French"),
        pytest.param("إيقاف العروض", "button", "opt_out", "marketing", id="in Arabic"),
        pytest.param("प्रमोशन बंद करें", "button", "opt_out", "marketing", id="in Hindi"),
        pytest.param("🚫 Stop promotions", "button", "opt_out", "marketing", id="with a sign"),
        pytest.param("Stop promotions", "list_row", "opt_out", "marketing", id="a list row"),
        pytest.param("STOP", "button", "opt_out", "all", id="STOP on a button"),
        pytest.param("Resume promotions", "button", "opt_in", "marketing", id="opt-in label"),
        pytest.param("Cancel", "button", "none", None, id="the app's own cancel"),
        pytest.param("End", "button", "none", None, id="the end of a menu"),
        pytest.param("Start", "button", "none", None, id="the start of a chat"),
        pytest.param("Salir", "button", "none", None, id="the way out of a menu"),
        pytest.param("STOP", "button_payload", "opt_out", "all", id="value STOP"),
        pytest.param("opt_out", "list_row_id", "opt_out", "all", id="value opt_out"),
        pytest.param("UNSUBSCRIBE", "list_row_id", "opt_out", "all", id="value UNSUBSCRIBE"),
        pytest.param("STOP_PROMOTIONS", "button_payload", "opt_out", "marketing", id="value"),
        pytest.param("Parar promoções", "button_payload", "opt_out", "marketing", id="as label"),
        pytest.param("stop_order_4411", "button_payload", "none", None, id="not by its start"),
        pytest.param("START", "button_payload", "none", None, id="value of a chat's first button"),
        pytest.param("OPT_IN", "button_payload", "opt_in", "all", id="value opt-in"),
        pytest.param("stop sending me messages", "caption", "opt_out", "all", id="a caption"),
        pytest.param("stop", "system", "none", None, id="a notice of WhatsApp's says nothing"),
        pytest.param("stop", "send_error", "none", None, id="an error says nothing"),
    ],
)
def test_surface(text, surface, intent, switch):
    for country in (None, "US"):
        found = decide(text, surface=Surface(surface), country=country)
        assert (found.intent, found.switch) == (intent, switch)


@pytest.mark.parametrize(
    ("text", "switch"),
    [
        pytest.param("stop", Switch.ALL, id="stop is all"),
        pytest.param("stop sending me messages", Switch.ALL, id="messages are all"),
        pytest.param("stop promotions", Switch.MARKETING, id="promotions are marketing"),
        pytest.param("no quiero recibir promociones", Switch.MARKETING, id="in Spanish"),
        pytest.param("stop promotional messages", Switch.MARKETING, id="promotional messages"),
        pytest.param("START", Switch.ALL, id="start is all"),
        pytest.param("help", None, id="help moves nothing"),
    ],
)
def test_switch(text, switch):
    assert decide(text, languages=["en"]).switch is switch


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("ok, S.T.O.P. now", "S.T.O.P", id="a spaced word"),
        pytest.param("Bonjour, désabonnez-moi svp", "désabonnez-moi", id="in the middle"),
        pytest.param("hola, dame\u0301 de baja", "dame\u0301 de baja", id="with a loose accent"),
        pytest.param(
            "x" * 500 + ". Stop sending me messages!", "Stop sending me messages", id="long"
        ),
    ],
)
def test_span_is_what_was_written(text, written):
    start, end = decide(text).span
    assert text[start:end] == written


def test_start_and_stop_in_one_message_is_a_likely_stop():
    found = decide("stop start")
    assert (found.intent, found.tier) == (Intent.OPT_OUT, Tier.LIKELY)


def test_a_phrase_in_a_long_text_is_likely():
    text = "I bought a lamp last week and it was broken. " * 12 + "Stop sending me messages."
    assert decide(text).tier is Tier.LIKELY


@given(ANY_TEXT, st.sampled_from(Surface))
def test_any_string_is_decided_and_its_span_lies_inside(text, surface):
    found = decide(text, surface=surface)
    start, end = found.span
    assert 0 <= start <= end <= len(text)
    assert (found.intent is Intent.NONE) == (found.tier is Tier.NONE)
    assert found.intent is not Intent.NONE or found == NOTHING


@given(st.lists(SPOKEN, max_size=30))
def test_any_words_of_ours_are_decided_and_never_opt_in_beside_a_stop(words):
    text = " ".join(words)
    found = decide(text, languages=["en", "es", "hi", "ar"])
    start, end = found.span
    assert 0 <= start <= end <= len(text)
    if found.intent is Intent.OPT_IN:
        assert {word.casefold() for word in words} <= {"start", "messages", "please", ".", "?"}


@given(
    st.sampled_from(["STOP", "stop", "Stop!", "S T O P", "unsubscribe", "désabonner"]),
    st.lists(
        st.sampled_from(["please", "por favor", "merci", "🙏", "!!", "👍", "शुक्रिया"]), max_size=4
    ),
    st.lists(st.sampled_from(["hi", "hola", "ok", "السلام عليكم", "🙂"]), max_size=2),
)
def test_courtesy_and_emoji_keep_a_bare_stop_certain(word, after, before):
    found = decide(" ".join([*before, word, *after]))
    assert (found.intent, found.tier) == (Intent.OPT_OUT, Tier.CERTAIN)


@given(st.sampled_from(["START", "subscribe", "unstop"]), ANY_TEXT)
def test_an_opt_in_inside_other_words_is_none(word, text):
    found = decide(f"{text} lamp {word}")
    assert found.intent is not Intent.OPT_IN


@pytest.mark.parametrize(
    "piece",
    ["a ", "stop sending ", "no quiero recibir ", "st0p ", "🛑", "dont ", "s t o p ", "لا ترسل "],
)
def test_time_grows_with_length_only(piece):
    def seconds(times: int) -> float:
        text = piece * times
        begin = time.perf_counter()
        decide(text)
        return time.perf_counter() - begin

    seconds(50)
    small = min(seconds(500) for _ in range(3))
    large = min(seconds(5_000) for _ in range(3))
    assert large < 40 * small + 0.05

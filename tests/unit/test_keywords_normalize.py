"""Normalising: one spelling for a word however it was written, and the way back to the text."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keywords.normalize import fold, normalize

KNOWN = frozenset({"stop", "arret", "please", "unsubscribe", "parar"})
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("STOP", "stop", id="capitals are folded"),
        pytest.param("ＳＴＯＰ", "stop", id="full width letters are letters"),
        pytest.param("S T O P", "stop", id="spaced letters are one word"),
        pytest.param("S.T.O.P.", "stop", id="letters with dots between are one word"),
        pytest.param("s-t-o-p please", "stop please", id="spaced letters end at the next word"),
        pytest.param("st0p", "stop", id="a digit stands for a letter"),
        pytest.param("$t0p", "stop", id="a sign stands for a letter"),
        pytest.param("STOOOOP", "stop", id="stretched letters are one"),
        pytest.param("arrrrêt", "arret", id="stretched letters may be two of which one is meant"),
        pytest.param("SТОP", "stop", id="Cyrillic look-alikes in a Latin word"),
        pytest.param("ѕtοp", "stop", id="Greek and Cyrillic look-alikes"),
        pytest.param("*STOP*", "stop", id="WhatsApp bold"),
        pytest.param("_stop_", "stop", id="WhatsApp italics"),
        pytest.param("~stop~", "stop", id="WhatsApp strike-through"),
        pytest.param("s\u200bt\u00ado\u2060p", "stop", id="invisible characters are nothing"),
        pytest.param("\u202estop\u202c", "stop", id="bidi marks are nothing"),
        pytest.param("não quero", "nao quero", id="Latin accents are dropped"),
        pytest.param("na\u0303o", "nao", id="accents that stand apart are dropped too"),
        pytest.param("İPTAL iptal ıptal", "iptal iptal iptal", id="all Turkish i are i"),
        pytest.param("إيقافُ الرسـائل", "ايقاف الرسايل", id="Arabic letter forms, harakat, tatweel"),
        pytest.param("کنسل یک", "كنسل يك", id="Persian letters are the Arabic ones"),
        pytest.param("मैसेज़ क़लम", "मैसेज कलम", id="nukta is dropped, vowel signs stay"),
        pytest.param("हाँ", "हां", id="candrabindu is anusvara"),
        pytest.param("ﾀﾞｲ", "ダイ", id="half-width kana join their voicing mark"),
        pytest.param("한", "한", id="Hangul letters are composed"),
        pytest.param("stop🛑", "stop 🛑", id="an emoji is a word of its own"),
        pytest.param("stop👋🏽", "stop 👋", id="a skin tone is nothing"),
        pytest.param("don't", "don t", id="an apostrophe separates"),
        pytest.param("٠١٢", "012", id="digits of any script are digits"),
        pytest.param("2024 b4", "2024 b4", id="numbers and words nobody knows stay themselves"),
        pytest.param("\ud800stop\x00", "stop", id="half an emoji and NUL separate"),
        pytest.param("", "", id="nothing is nothing"),
    ],
)
def test_words(text, words):
    assert " ".join(normalize(text, KNOWN).text.split()) == words


@pytest.mark.parametrize(
    ("text", "word", "written"),
    [
        pytest.param("oh, S.T.O.P. it", "stop", "S.T.O.P", id="spaced letters"),
        pytest.param("hi STOOOP!", "stop", "STOOOP", id="stretched letters"),
        pytest.param("é é arre\u0302t!", "arret", "arre\u0302t", id="accents that stand apart"),
        pytest.param(
            "ﬁ s\u200btop", "stop", "s\u200btop", id="after a ligature, with an invisible"
        ),
        pytest.param("a  ＳＴＯＰ", "stop", "ＳＴＯＰ", id="full width after two spaces"),
    ],
)
def test_span_is_what_was_written(text, word, written):
    normal = normalize(text, KNOWN)
    at = normal.text.index(f" {word} ") + 1
    start, end = normal.span(at, at + len(word))
    assert text[start:end] == written


@given(ANY_TEXT)
def test_any_string_is_folded_and_maps_back(text):
    normal = normalize(text, KNOWN)
    assert len(normal.origin) == len(normal.text)
    assert all(-1 <= at <= len(text) for at in normal.origin)
    assert list(normal.origin) == sorted(normal.origin)


@given(ANY_TEXT)
def test_both_ways_of_folding_give_the_same_words(text):
    assert fold(text).split() == normalize(text, ()).text.split()


@given(ANY_TEXT)
@example("ᄀ")
@example("ﾞ")
@example("가ᄀ ﾊﾟﾞ")
def test_a_folded_text_stays_as_it_is(text):
    once = " ".join(fold(text).split())
    assert " ".join(fold(once).split()) == once


@pytest.mark.parametrize("piece", ["a", "s t o p ", "st0p ", "\u0301", "🛑", "ﷺ", "ᄒ", "!"])
def test_time_grows_with_length_only(piece):
    def seconds(times: int) -> float:
        text = piece * times
        begin = time.perf_counter()
        normalize(text, KNOWN)
        return time.perf_counter() - begin

    seconds(100)
    small = min(seconds(2_000) for _ in range(5))
    large = min(seconds(20_000) for _ in range(5))
    # Ten times as long; a quadratic one would be a hundred times as slow.
    assert large < 50 * small + 0.1

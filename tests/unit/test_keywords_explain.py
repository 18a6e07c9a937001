"""Explaining: what is said about a text agrees with what is decided."""

import pytest

from keywords.decision import Intent, Tier
from keywords.explain import explain
from keywords.matcher import load_matcher
from tests import accuracy

MATCHER = load_matcher()


def test_what_is_explained_is_what_is_decided():
    seen = 0
    for row in accuracy.rows():
        if row.get("surface", "text") != "text" or row["language"] not in ("en", "es", "hi"):
            continue
        found = explain(
            MATCHER, row["text"], languages=[row["language"]], country=row.get("country")
        )
        assert found.decision == accuracy.decided(MATCHER, row)
        left = {one.left for one in (*found.terms, *found.phrases)}
        if found.decision.intent is Intent.OPT_OUT and found.phrases:
            seen += 1
            assert found.decision.tier in left
    assert seen > 100


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("don't unsubscribe me", "a negation stands before it", id="negated"),
        pytest.param("he said: stop sending messages", "somebody else said it", id="reported"),
        pytest.param("stop messages at night", "only at times, until then", id="a limit"),
        pytest.param("unsubscribe messages of bob", "goes on about something else", id="object"),
        pytest.param('what is "stop messages"', "in quotation marks", id="quoted"),
        pytest.param("unsubscribe messages?", "it is a question", id="a question"),
        pytest.param("reply stop messages to win", "told to reply", id="an instruction"),
    ],
)
def test_the_guard_that_spoke_is_named(text, why):
    found = explain(MATCHER, text, languages=["en"])
    english = [one for one in found.phrases if one.language == "en"]
    assert any(why in said for one in english for said in one.against), english
    assert all(one.left is not Tier.CERTAIN for one in english)
    assert found.decision.tier is not Tier.CERTAIN


def test_a_long_text_and_no_text_are_explained():
    assert explain(MATCHER, "").normal == ""
    assert explain(MATCHER, "stop sending messages. " * 400).phrases

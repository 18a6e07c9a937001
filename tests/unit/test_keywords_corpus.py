"""The labelled sentences: how many are understood, and that no mistake is grave."""

import pytest

from keywords.decision import Intent, Tier
from keywords.matcher import load_matcher
from keywords.pack import COMMON
from tests import accuracy

MATCHER = load_matcher()
ROWS = list(accuracy.rows())
SCORES = accuracy.scores(MATCHER)
CITED = accuracy.cited()


def test_every_language_with_a_pack_has_sentences_and_the_other_way_round():
    assert set(SCORES) == set(CITED) - {COMMON}


@pytest.mark.parametrize("language", sorted(SCORES))
def test_requests_to_stop_are_understood(language):
    assert SCORES[language].reaches(cited=CITED[language]), SCORES[language]


@pytest.mark.parametrize("language", sorted(SCORES))
def test_nothing_ordinary_is_acted_on_and_nothing_is_read_as_its_opposite(language):
    score = SCORES[language]
    assert (score.acted, score.opposite) == (0, 0)


@pytest.mark.parametrize("language", sorted(SCORES))
def test_many_of_the_sentences_are_hard(language):
    score = SCORES[language]
    assert score.ordinary >= (score.requests + score.ordinary + score.other) / 4


def test_there_are_enough_of_them_and_a_third_is_hard():
    assert len(ROWS) >= 2_500
    assert len(SCORES) >= 100
    assert sum(score.ordinary for score in SCORES.values()) >= len(ROWS) / 3


def test_the_page_of_figures_is_up_to_date():
    assert accuracy.PAGE.read_text("utf-8") == accuracy.page(SCORES), "run make accuracy"


def test_without_knowing_who_writes_a_sentence_is_never_its_opposite():
    for row in ROWS:
        found = MATCHER.decide(row["text"])
        if row["expect"] == "opt_out":
            assert found.intent is not Intent.OPT_IN, row
        if row["expect"] == "none":
            assert found.intent is not Intent.OPT_IN, row


def test_without_knowing_who_writes_hardly_any_ordinary_sentence_is_acted_on():
    ordinary = [row["text"] for row in ROWS if row["expect"] == "none"]
    found = [MATCHER.decide(text) for text in ordinary]
    acted = [d for d in found if d.intent is Intent.OPT_OUT and d.tier is Tier.CERTAIN]
    assert len(acted) <= len(ordinary) / 500, acted

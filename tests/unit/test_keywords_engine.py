"""What packs can say: stems, words over commas, scripts without spaces, reported speech."""

import pytest

from keywords.kept import load_lexicon
from keywords.matcher import Matcher, load_matcher, make_matcher
from keywords.pack import PACKS, read_pack

HEAD = 'name = "X"\nscripts = ["Latn"]\ncountries = ["AQ"]\n'
MIDDLE = """
[[phrases]]
tier = "certain"
source = "s"
say = [{phrases}]
[words]
"""


def a_matcher(language: str, words: str, *phrases: str, top: str = "") -> Matcher:
    said = ", ".join(f'"{phrase}"' for phrase in phrases)
    content = f'language = "{language}"\n{top}\n{HEAD}{MIDDLE.format(phrases=said)}{words}'
    return make_matcher([read_pack(f"{language}.toml", content)])


ENDINGS = a_matcher(
    "xa", 'messages = ["mesaj*", "mesajcı"]\nshop = ["dükkan"]\nno_send = ["yollama"]',
    "messages no_send",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        pytest.param("mesaj yollama", "certain", id="the stem alone"),
        pytest.param("MESAJLARINIZI yollama", "certain", id="with an ending"),
        pytest.param("mesajınızıyollamayınızlardan yollama", "none", id="another word"),
        pytest.param("dükkanmesaj yollama", "none", id="inside a word"),
    ],
)
def test_a_stem_takes_any_ending(text, tier):
    assert ENDINGS.decide(text).tier == tier


def test_a_stem_shows_the_whole_word_as_written():
    start, end = ENDINGS.decide("hey MESAJLARINIZI yollama").span
    assert "hey MESAJLARINIZI yollama"[start:end] == "MESAJLARINIZI yollama"


ACROSS = a_matcher("xb", 'refuse_that = ["nechci abyste"]\nwrite = ["psali"]', "refuse_that write")


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        pytest.param("nechci, abyste psali", "certain", id="ASCII"),
        pytest.param("nechcí, abyste psali", "certain", id="beyond ASCII"),
        pytest.param("nechci abyste psali", "certain", id="without"),
        pytest.param("nechci. Abyste psali", "none", id="another sentence"),
        pytest.param("nechcí. Abyste psali", "none", id="another sentence, beyond ASCII"),
        pytest.param("nechcí! Abyste psali", "none", id="or cry"),
    ],
)
def test_a_word_of_several_words_goes_over_a_comma_and_not_over_a_full_stop(text, tier):
    assert ACROSS.decide(text).tier == tier


UNSPACED = a_matcher(
    "xc",
    'send = ["发", "send"]\nmessages = ["消息", "td"]\nnot = ["不要"]\nfiller = ["了"]',
    "not send messages",
    top="spaces = false",
)


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        pytest.param("不要发消息了", "certain", id="no spaces"),
        pytest.param("不要send消息了", "certain", id="Latin letters between"),
        pytest.param("不要 发 消息", "certain", id="spaces where none are needed"),
        pytest.param("不要sender消息", "none", id="a longer Latin word is another"),
        pytest.param("不要发width", "none", id="nor inside one"),
        pytest.param("不要𠀀发消息", "none", id="an unknown word between"),
    ],
)
def test_a_script_without_spaces(text, tier):
    assert UNSPACED.decide(text).tier == tier


def test_where_every_sign_is_a_word_none_is_a_typing_error():
    term = '[[terms]]\nintent = "opt_out"\nkind = "word"\ntier = "certain"\nsource = "s"\n'
    content = f'language = "xd"\nspaces = false\n{HEAD}{term}say = ["不要再发了吧"]\n'
    matcher = make_matcher([read_pack("xd.toml", content)])
    assert matcher.decide("不要再发了吧").tier == "certain"
    assert matcher.decide("不要再说了吧").tier == "none"


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        pytest.param("he said: stop sending me messages", "none", id="he said"),
        pytest.param("my boss told me: stop sending me messages", "none", id="told"),
        pytest.param("To whom it may concern: stop sending me messages", "certain", id="a heading"),
        pytest.param("please: stop sending me messages", "certain", id="please"),
    ],
)
def test_what_somebody_else_said_is_no_request(text, tier):
    assert load_matcher().decide(text).tier == tier


def lexicon_of(folder):
    lexicon, _, digest = load_lexicon(folder)
    return [term.text for term in lexicon.terms], len(lexicon.strings), digest


def test_a_kept_lexicon_is_the_one_that_was_made(tmp_path):
    for path in PACKS.glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    made = lexicon_of(tmp_path)
    (kept,) = (tmp_path / "__pycache__").glob("lexicon.*.bin")
    written = kept.stat().st_mtime_ns
    assert lexicon_of(tmp_path) == made
    assert kept.stat().st_mtime_ns == written
    fresh, again = load_matcher(), Matcher(*load_lexicon(tmp_path))
    for text in ("stop", "no me manden más mensajes", "don't unsubscribe me", "मैसेज मत भेजो", "st0p"):
        assert fresh.decide(text) == again.decide(text)


@pytest.mark.parametrize("damage", [b"", b"half a file", b"\x80\x05."])
def test_a_damaged_file_of_a_kept_lexicon_is_made_anew(tmp_path, damage):
    (tmp_path / "mul.toml").write_bytes((PACKS / "mul.toml").read_bytes())
    made = lexicon_of(tmp_path)
    (kept,) = (tmp_path / "__pycache__").glob("lexicon.*.bin")
    kept.write_bytes(damage)
    assert lexicon_of(tmp_path) == made
    assert kept.read_bytes() != damage


def test_a_corrected_pack_is_read_anew_and_the_old_one_not_kept(tmp_path):
    target = tmp_path / "mul.toml"
    target.write_bytes((PACKS / "mul.toml").read_bytes())
    *_, before = lexicon_of(tmp_path)
    target.write_text(target.read_text("utf-8").replace('"stopall"', '"stopeverything"'), "utf-8")
    terms, _, after = lexicon_of(tmp_path)
    assert before != after
    assert "stopeverything" in terms
    assert len(list((tmp_path / "__pycache__").iterdir())) == 1


def test_packs_in_a_folder_nobody_may_write_are_read(tmp_path):
    (tmp_path / "mul.toml").write_bytes((PACKS / "mul.toml").read_bytes())
    (tmp_path / "__pycache__").write_bytes(b"a file where the folder would be")
    terms, *_ = lexicon_of(tmp_path)
    assert "stop" in terms


TERM = (
    '\n[[terms]]\nintent = "opt_out"\nkind = "word"\ntier = "certain"\nsource = "s"\nsay = ["stop"]'
)
ALIKE = a_matcher(
    "xe", f'messages = ["tot"]\nno_send = ["stop"]\n{TERM}', "messages no_send"
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        pytest.param("tot st0p", "certain", id="as it is written"),
        pytest.param("tоt st0p", "certain", id="one letter in another alphabet"),
        pytest.param("тот st0p", "none", id="a word of another language that looks alike"),
    ],
)
def test_a_word_in_another_alphabet_is_a_word_of_that_language(text, tier):
    assert ALIKE.decide(text).tier == tier


def test_stop_in_look_alikes_is_stop():
    assert load_matcher().decide("ЅТОР").tier == "certain"


def test_short_courtesy_of_another_language_is_an_unknown_word_in_a_phrase():
    one = read_pack("xf.toml", f'language = "xf"\n{HEAD}[words]\ncourtesy = ["ei", "bitte"]\n')
    words = 'messages = ["post"]\nno_send = ["halt"]\n'
    phrase = MIDDLE.format(phrases='"no_send messages"')
    other = read_pack("xg.toml", f'language = "xg"\n{HEAD}{phrase}{words}')
    matcher = make_matcher([one, other])
    assert matcher.decide("halt bitte post").tier == "certain"
    assert matcher.decide("halt ei post").tier == "none"


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        pytest.param("stop sending me messages", "certain", id="as we know it"),
        pytest.param("stop sending me wretched messages", "likely", id="an unknown word before it"),
        pytest.param("your ads bore me, i said stop", "likely", id="words no phrase joins"),
        pytest.param("your ads bore me, when do they stop?", "none", id="in a question"),
        pytest.param("my sister said your ads should stop", "none", id="of somebody else"),
        pytest.param("stop sendimg me meszages", "likely", id="misspelt"),
        pytest.param("i didn't get your silly message", "none", id="after a negation"),
    ],
)
def test_what_is_nearly_a_request_goes_to_a_person(text, tier):
    assert load_matcher().decide(text, languages=["en"]).tier == tier


def test_where_nothing_is_known_of_who_writes_nearly_is_not_enough():
    decide = load_matcher().decide
    assert decide("your ads bore me, i said stop").tier == "none"
    assert decide("stop sendimg me meszages").tier == "none"


def test_an_app_of_many_languages_is_read_in_the_one_that_is_written():
    """Whichever comes first in a set of them, which is different in each process."""
    many = ["af", "ar", "bg", "ca", "cs", "da", "en", "fi", "hu", "it"]
    for text in ("non mandatemi più mesxaggi stop", "ez nekem sok a reklám, stop"):
        assert load_matcher().decide(text, languages=many).tier == "likely"


@pytest.mark.parametrize(
    ("text", "switch"),
    [("your ads bore me, i said stop", "marketing"), ("your messages bore me, stop", "all")],
)
def test_what_no_phrase_joins_is_about_what_it_names(text, switch):
    assert load_matcher().decide(text, languages=["en"]).switch == switch

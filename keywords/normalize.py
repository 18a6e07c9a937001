"""One spelling for words that look or sound the same, and the way back to the text as written.

Two steps. `fold` maps each code point on its own (case, width, marks, letter forms, signs), so it
is one table look-up a character, and its map back is simple. `normalize` also mends whole words
written to slip through or in a hurry (`st0p`, `STOOOP`, `S.T.O.P`, a Cyrillic О in STOP), and only
into words that the packs know: a guess that is nobody's word changes nothing.
"""

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

# Fold a code point to this where Unicode's own compatibility mapping leaves it apart.
_LETTERS = {
    "ı": "i",  # Turkish i: all four become i, as terms are folded the same way
    "ß": "ss",
    "đ": "d",
    "ð": "d",
    "ø": "o",
    "ł": "l",
    "ħ": "h",
    "æ": "ae",
    "œ": "oe",
    "ς": "σ",
    "ٱ": "ا",
    "ى": "ي",
    "ی": "ي",
    "ې": "ي",
    "ے": "ي",
    "ة": "ه",
    "ە": "ه",
    "ہ": "ه",
    "ھ": "ه",
    "ۃ": "ه",
    "ک": "ك",
    "ڪ": "ك",
    "ـ": "",  # tatweel
    "՛": "",  # Armenian signs that stand over a vowel, inside a word
    "՜": "",
    "՞": "",
    "ʻ": " ",  # an apostrophe, as in Uzbek o'z
    "ʼ": " ",
    "ँ": "ं",  # candrabindu and anusvara are used for one another
}

QUESTION_MARKS = frozenset("?؟？⁇⁈❓❔;՞፧")
HARD_STOPS = frozenset(".!\n\r।。！…۔•|")
_ENDS = QUESTION_MARKS | HARD_STOPS
# "I don't want, that you write": in many languages a comma stands inside a request.
_COMMAS = (", ", "، ")

# Signs that stand for letters when a word holds both; anything else that is not a letter separates.
_SIGNS_KEPT = frozenset("@$")

# Marks without which the word is still the word. Indic vowel signs, Thai and kana marks stay.
_MARKS_DROPPED = (
    (0x0300, 0x036F),  # Latin, Greek, Cyrillic
    (0x0483, 0x0487),
    (0x0591, 0x05C7),  # Hebrew points
    (0x0610, 0x061A),
    (0x064B, 0x065F),  # Arabic harakat, hamza above and below
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
    (0x093C, 0x093C),  # nukta: Devanagari, Bengali, Gurmukhi, Gujarati, Odia, Kannada
    (0x09BC, 0x09BC),
    (0x0A3C, 0x0A3C),
    (0x0ABC, 0x0ABC),
    (0x0B3C, 0x0B3C),
    (0x0CBC, 0x0CBC),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),  # around signs, also the keycap
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFE20, 0xFE2F),
    (0xE0100, 0xE01EF),
)

# Decomposing these would take syllables apart that people write whole.
_WHOLE = ((0x3040, 0x30FF), (0xAC00, 0xD7A3), (0xFF66, 0xFF9F))

_LOOK_ALIKES = {
    "cyrillic": str.maketrans("аеорсухіјѕԁһԛԝкмтвнг", "aeopcyxijsdhqwkmtbhr"),
    "greek": str.maketrans("οαρτυνκιεημβχζωγ", "oaptuvkiehmbxzwy"),
}
_LEET = (str.maketrans("0134578@$", "oieastbas"), str.maketrans("0134578@$", "oleastbas"))
_LEET_WRITTEN = {"o": "0", "i": "1", "l": "1", "e": "3", "a": "4@", "s": "5$", "t": "7", "b": "8"}
_JOIN = "\ufdd0"  # a noncharacter: never what a letter folds to
# Kana voicing marks and Hangul letters that stand apart and must be joined to the letter before.
_APART = re.compile("[\u1100-\u11ff\u3099\u309a\uff9e\uff9f]")
_ALIKE = {point: latin for table in _LOOK_ALIKES.values() for point, latin in table.items()}
# What a word may be meant as: itself, look-alikes replaced, digits and signs read as letters.
_TABLES: tuple[dict[int, int], ...] = ({}, _ALIKE, *_LEET)
_LATIN = re.compile("[a-z]")
_LONGEST = 100  # letters; what is longer, however it is written, is not meant as a word
_WORD = re.compile(r"\S+")
_RUN = re.compile(r"(\w)\1{2,}")
# Without any of these a text holds no word to mend: signs and look-alikes, three of a letter in a
# row, three letters on their own.
_MENDABLE = re.compile(
    f"[{re.escape(''.join(map(chr, sorted({p for table in _TABLES for p in table}))))}]"
    r"|(\w)\1\1| [\w@$] {1,3}[\w@$] {1,3}[\w@$] "
)
# Where Latin letters or digits touch a script without spaces, a word ends.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_TOUCHING = re.compile(f"(?<=[a-z0-9])(?=[{_UNSPACED}])|(?<=[{_UNSPACED}])(?=[a-z0-9])")
UNSPACED = re.compile("[\u0e00-\u9fff]")  # they are all among these: found four times as fast
_RUNS_ON = re.compile(f"[{_UNSPACED}]")
_TABLE_LIMIT = 20_000  # code points remembered; beyond it they are folded anew each time


def _in_ranges(point: int, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(low <= point <= high for low, high in ranges)


def _fold_piece(char: str) -> str:
    """Fold one code point that has no compatibility mapping left."""
    if char in _LETTERS:
        return _LETTERS[char]
    category = unicodedata.category(char)
    if category[0] == "L":
        return char
    if category[0] == "M":
        return "" if _in_ranges(ord(char), _MARKS_DROPPED) else char
    if category[0] == "N":
        digit = unicodedata.digit(char, None)
        return char if digit is None else str(digit)
    if category in ("Cf", "Sk") and not char.isascii():
        return ""  # zero-width, bidi, soft hyphen, tags; skin tones
    if category == "So":
        return f" {char} "  # an emoji is a word of its own, even where it touches one
    return char if char in _SIGNS_KEPT else " "


def fold_point(point: int) -> str:
    """Return what one code point becomes: nothing, one character or a few."""
    char = chr(point)
    if 0xD800 <= point <= 0xDFFF:
        return " "
    if _APART.match(char):
        return _JOIN
    if unicodedata.category(char) == "So":
        return _fold_piece(char)  # the letter in ℗ or 🅱 is not a word's
    form: str = "NFKC" if _in_ranges(point, _WHOLE) else "NFKD"
    pieces = unicodedata.normalize(form, char).casefold()  # type: ignore[arg-type]
    if form == "NFKD":
        pieces = unicodedata.normalize("NFKD", pieces)
    return "".join(_fold_piece(piece) for piece in pieces)


class _Table(dict[int, str]):
    """What each code point becomes, filled as it is asked for."""

    def __init__(self) -> None:
        self.even: set[str] = set()  # characters that become one character

    def __missing__(self, point: int) -> str:
        folded = fold_point(point)
        if len(self) < _TABLE_LIMIT:
            self[point] = folded
            if len(folded) == 1 and folded != _JOIN:
                self.even.add(chr(point))
        return folded


_TABLE = _Table()
_HIGH = 0x3000
_HIGHER = re.compile(f"[{chr(_HIGH)}-\U0010ffff]")


@cache
def _low() -> list[str]:
    """Return what the code points below become: most texts have no other, and a list is faster."""
    return [_TABLE[point] for point in range(_HIGH)]


_ASCII = bytes(ord(fold_point(point)) for point in range(128)) + bytes(128)


def fold(text: str) -> str:
    """Return the text folded code point by code point, with a space before and after it.

    Whatever separates words is a space, one for each sign, but one for a comma and the space after
    it: words of several words are found across a comma, and not across the end of a sentence.
    """
    for comma in _COMMAS:
        if comma in text:
            text = text.replace(comma, " ")
    if text.isascii():
        return f" {text.encode('ascii').translate(_ASCII).decode('ascii')} "
    folded = text.translate(_TABLE if _HIGHER.search(text) else _low())
    if _JOIN in folded or (UNSPACED.search(folded) and _TOUCHING.search(folded)):
        return normalize(text, ()).text
    return f" {folded} "


def runs_on(letter: str) -> bool:
    """Tell whether a folded letter is of a script without spaces between words."""
    return _RUNS_ON.match(letter) is not None


@dataclass(frozen=True, slots=True)
class Normalized:
    """A text as it is matched. `origin[i]` is where character i stood in the text as written."""

    text: str
    origin: Sequence[int]
    raw: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stood in the raw text, with the marks that hang on it."""
        if start >= end:
            return (0, 0)
        first, last = self.origin[start], self.origin[end - 1] + 1
        while last < len(self.raw) and unicodedata.category(self.raw[last])[0] == "M":
            last += 1
        return (first, last)

    def between(self, start: int, end: int) -> str:
        """Return the raw text between two characters, both excluded."""
        return self.raw[self.origin[start] + 1 : self.origin[end]]


def normalize(text: str, known: Container[str], sure: Container[str] | None = None) -> Normalized:
    """Return the text folded and its words mended into `known` words; linear, never raises.

    Words in another alphabet throughout are mended into `sure` words only, if they are given: a
    Russian word that looks like some Latin one is still Russian.
    """
    # Where every character becomes one character, the way back is a matter of counting.
    even = "  " not in text and "\n" not in text and not any(c in text for c in _COMMAS)
    folded = ""
    if even and text.isascii():
        folded = fold(text)
    elif even:
        folded = f" {text.translate(_TABLE)} "
        even = _TABLE.even.issuperset(text)
        even = even and not (UNSPACED.search(folded) and _TOUCHING.search(folded))
    if even:
        return _mend(Normalized(folded, range(-1, len(text) + 1), text), known, sure)
    chars: list[str] = [" "]
    origin: list[int] = [-1]
    for at, piece in _pieces(text):
        for char in piece:
            # White space after a space is none, but after the end of a sentence it is.
            if char == chars[-1] == " " and text[at].isspace() and text[origin[-1]] not in _ENDS:
                continue
            chars.append(char)
            origin.append(at)
    chars.append(" ")
    origin.append(len(text))
    return _mend(_parted(Normalized("".join(chars), origin, text)), known, sure)


def _parted(normal: Normalized) -> Normalized:
    """Return it with a space where letters of a script without spaces touch Latin ones."""
    touching = [match.start() for match in _TOUCHING.finditer(normal.text)]
    if not touching:
        return normal
    pieces: list[str] = []
    origin: list[int] = []
    for start, end in pairwise([0, *touching, len(normal.text)]):
        pieces.append(normal.text[start:end])
        origin.extend(normal.origin[start:end])
        if end < len(normal.text):
            origin.append(normal.origin[end - 1])
    return Normalized(" ".join(pieces), origin, normal.raw)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield where each piece of the text begins and what it folds to."""
    if not _APART.search(text):
        for at, char in enumerate(text):
            yield at, _TABLE[ord(char)]
        return
    at = 0
    while at < len(text):  # a letter and what is to be joined to it, as one piece
        end = at + 1
        while end < len(text) and end - at < 4 and _APART.match(text[end]):
            end += 1
        whole = unicodedata.normalize("NFKC", text[at:end])
        # What found nothing to be joined to stays a letter of its own.
        folded = (_fold_piece(char) if _APART.match(char) else _TABLE[ord(char)] for char in whole)
        yield at, "".join(folded)
        at = end


def _mend(normal: Normalized, known: Container[str], sure: Container[str] | None) -> Normalized:
    """Return it with words written oddly put right, where that gives a known word."""
    if not known or not _MENDABLE.search(normal.text):
        return normal
    better: dict[tuple[int, int], str] = {}
    for start, end, word in _odd_words(normal.text):
        foreign = sure is not None and _LATIN.search(word) is None
        meant = _mended(word, known, sure if foreign and sure is not None else known)
        if meant is not None and meant != normal.text[start:end]:
            better[start, end] = meant
    return respelt(normal, better) if better else normal


def respelt(normal: Normalized, better: Mapping[tuple[int, int], str]) -> Normalized:
    """Return it with other spellings in these places, which are in the order of the text."""
    out: list[str] = []
    origin: list[int] = []
    done = 0
    for (start, end), word in better.items():
        out.append(normal.text[done:start])
        origin.extend(normal.origin[done:start])
        first, last = normal.origin[start], normal.origin[end - 1]
        out.append(word)
        origin += [min(first + i, last) for i in range(len(word) - 1)] + [last]
        done = end
    out.append(normal.text[done:])
    origin.extend(normal.origin[done:])
    return Normalized("".join(out), origin, normal.raw)


def _odd_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and letters of each word, and of runs of single letters as one."""
    letters: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        letter = len(word[0]) == 1 and (word[0].isalnum() or word[0] in _SIGNS_KEPT)
        if letter and (not letters or word.start() - letters[-1].end() <= 3):
            letters.append(word)
            continue
        yield from _joined(letters)
        letters = [word] if letter else []
        if not letters and len(word[0]) <= _LONGEST:
            yield word.start(), word.end(), word[0]
    yield from _joined(letters)


def _joined(letters: list[re.Match[str]]) -> Iterator[tuple[int, int, str]]:
    if 3 <= len(letters) <= _LONGEST:
        yield letters[0].start(), letters[-1].end(), "".join(letter[0] for letter in letters)


def _mended(word: str, known: Container[str], alike: Container[str]) -> str | None:
    """Return the known word that this one was meant to be, or None.

    `alike` are the words that look-alikes may make of it.
    """
    if word in known:
        return word  # S T O P, joined; any other stays itself
    if word.isalpha() and word.isascii() and not _RUN.search(word):
        return None
    # 2024 is a number, not letters: digits stand for letters only beside letters
    for table in _TABLES[:1] if word.isdigit() else _TABLES:
        meant = word.translate(table)
        among = alike if table is _ALIKE and meant != word else known
        for candidate in (meant, *_unstretched(meant)):
            if candidate in among:
                return candidate
    return None


def _unstretched(word: str) -> Iterator[str]:
    if _RUN.search(word):
        yield _RUN.sub(r"\1", word)
        yield _RUN.sub(r"\1\1", word)


def oddities(words: Iterable[str]) -> set[str]:
    """Return the short strings that betray an odd spelling of one of the words in a folded text.

    The automaton finds them in its one pass, so that ordinary text pays nothing for the mending.
    """
    found: set[str] = set()
    for word in words:
        found.update(_odd_pairs(word))
        found.update(letter * 3 for letter in word if letter.isalpha())
        for table in _LOOK_ALIKES.values():
            back = {chr(latin): chr(other) for other, latin in table.items()}
            if all(letter in back for letter in word):
                found.add(f" {''.join(back[letter] for letter in word)} ")
        if len(word) >= 4:
            found.update(f" {word[0]}{gap}{word[1]} " for gap in (" ", "  ", "   "))
    return found


def _odd_pairs(word: str) -> Iterator[str]:
    """Yield each pair of letters of the word with one of them written otherwise."""
    for one, two in pairwise(word):
        yield from (one + sign for sign in _otherwise(two))
        yield from (sign + two for sign in _otherwise(one))


def _otherwise(letter: str) -> Iterator[str]:
    yield from _LEET_WRITTEN.get(letter, "")
    for table in _LOOK_ALIKES.values():
        yield from (chr(other) for other, latin in table.items() if chr(latin) == letter)

import traceback

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from check.asked import UnclearNameError, read_name

NBSP, THIN, EN_DASH, HYPHEN = "\u00a0", "\u2009", "\u2013", "\u2010"
LRM, LRE, PDF, FSI, PDI = "\u200e", "\u202a", "\u202c", "\u2068", "\u2069"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        pytest.param("4915123456789", "4915123456789", id="as WhatsApp writes it"),
        pytest.param("+4915123456789", "4915123456789", id="with a plus"),
        pytest.param("004915123456789", "4915123456789", id="with 00"),
        pytest.param("+49 151 23456789", "4915123456789", id="with spaces"),
        pytest.param("  +49 151 23456789\n", "4915123456789", id="with spaces around it"),
        pytest.param("+49-151-2345-6789", "4915123456789", id="with dashes"),
        pytest.param("+49/151/23456789", "4915123456789", id="with slashes"),
        pytest.param("+49.151.23456789", "4915123456789", id="with dots"),
        pytest.param("+1 (555) 123-0001", "15551230001", id="with parentheses"),
        pytest.param("+49 (0) 151 23456789", "4915123456789", id="with the national 0 beside it"),
        pytest.param("+49 0151 23456789", "4915123456789", id="with the national 0 in it"),
        pytest.param("0049 (0)151 23456789", "4915123456789", id="with 00 and the national 0"),
        pytest.param("+44 (0)7400 123456", "447400123456", id="as the British write it"),
        pytest.param(f"+49{NBSP}151{THIN}23456789", "4915123456789", id="with other spaces"),
        pytest.param(f"+49{EN_DASH}151{HYPHEN}23456789", "4915123456789", id="with other dashes"),
        pytest.param(f"{LRE}+49 151 23456789{PDF}", "4915123456789", id="out of an address book"),
        pytest.param(f"{LRM}{FSI}+49 151 23456789{PDI}", "4915123456789", id="out of a chat"),
        pytest.param("+٤٩ ١٥١ ٢٣٤٥٦٧٨٩", "4915123456789", id="in Arabic-Indic digits"),
        pytest.param("+۴۹۱۵۱۲۳۴۵۶۷۸۹", "4915123456789", id="in Persian digits"),
        pytest.param("+४९१५१२३४५६७८९", "4915123456789", id="in Devanagari digits"),
        pytest.param("００４９１５１２３４５６７８９", "4915123456789", id="in full-width digits"),
        pytest.param("tel:+49-151-23456789", "4915123456789", id="a tel: link"),
        pytest.param("TEL:+4915123456789", "4915123456789", id="a link in capitals"),
        pytest.param("whatsapp:+4915123456789", "4915123456789", id="as other services write it"),
        pytest.param("https://wa.me/4915123456789", "4915123456789", id="a wa.me link"),
        pytest.param("wa.me/4915123456789", "4915123456789", id="a wa.me link without https"),
        pytest.param("http://wa.me/+4915123456789", "4915123456789", id="a wa.me link with a plus"),
        pytest.param("+39 06 1234 5678", "390612345678", id="Italy keeps its 0"),
        pytest.param(
            "+39 (0)6 1234 5678",
            "390612345678",
            id="Italy keeps its 0 in parentheses too",
        ),
        pytest.param("+54 11 15 2345-6789", "5491123456789", id="Argentina: without the 15"),
        pytest.param("+54 9 11 2345-6789", "5491123456789", id="Argentina: with the 9"),
        pytest.param("+52 1 55 1234 5678", "5215512345678", id="Mexico: 521 is a name by itself"),
        pytest.param("+52 55 1234 5678", "525512345678", id="Mexico: without the 1"),
        pytest.param("+55 11 98765-4321", "5511987654321", id="Brazil: with the ninth digit"),
        pytest.param("+55 11 8765-4321", "551187654321", id="Brazil: without it"),
        pytest.param("15550001234", "15550001234", id="a number of Meta's for trying things out"),
        pytest.param("+49 151", "49151", id="too short for its plan, and then as it is"),
        pytest.param("US.1111222233334444", "US.1111222233334444", id="a BSUID"),
        pytest.param(" US.1111222233334444\n", "US.1111222233334444", id="a BSUID out of a cell"),
        pytest.param("DE.aBcD0012", "DE.aBcD0012", id="letters of a BSUID are kept as they are"),
        pytest.param("US.0", "US.0", id="so are its zeros"),
        pytest.param("US.ENT.5555666677778888", "US.ENT.5555666677778888", id="a parent BSUID"),
    ],
)
def test_read_name(typed, name):
    assert read_name(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="nothing"),
        pytest.param("  \n", id="nothing but space"),
        pytest.param("0151 23456789", id="without a country code: it could be anybody's"),
        pytest.param("+0151 23456789", id="no country begins with 0"),
        pytest.param("+0049 151 23456789", id="plus and 00 together"),
        pytest.param("++49 151 23456789", id="two pluses"),
        pytest.param("49151+23456789", id="a plus in the middle"),
        pytest.param("+999 151 23456789", id="a country code nobody has"),
        pytest.param("+49 151 2345678901234567", id="more digits than a phone has"),
        pytest.param("1234", id="too few digits"),
        pytest.param("+49 151 CALLME", id="letters"),
        pytest.param("Anna Example", id="what a contact is called is no name here"),
        pytest.param("@anna", id="nor is a username"),
        pytest.param("us.1111222233334444", id="a BSUID in small letters"),
        pytest.param("US.1111-2222", id="half a BSUID"),
        pytest.param("US.ENT.", id="a parent BSUID without its id"),
        pytest.param("+49 151 23456789, +49 151 23456780", id="two numbers"),
        pytest.param("https://example.com/4915123456789", id="a link to somewhere else"),
        pytest.param("4915123456789\x00", id="a NUL"),
        pytest.param("\ud83d4915123456789", id="half an emoji"),
    ],
)
def test_what_names_nobody_is_refused_and_not_repeated(typed):
    with pytest.raises(UnclearNameError) as refused:
        read_name(typed)
    shown = "".join(traceback.format_exception(refused.value))
    assert not typed.strip() or typed.strip() not in shown
    assert "23456789" not in shown.replace("(+49 151 23456789)", "")


def test_the_refusal_says_how_to_write_one():
    with pytest.raises(UnclearNameError, match=r"country code .* BSUID"):
        read_name("0151 23456789")
    with pytest.raises(UnclearNameError, match="no country's numbers begin"):
        read_name("+999 151 23456789")


def _examples():
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number is not None:
            yield phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def test_a_mobile_of_every_country_is_read_as_whatsapp_names_it():
    examples = list(_examples())
    assert len(examples) > 200
    for example in examples:
        digits = example[1:]
        assert read_name(digits) == read_name(f"00{digits}") == read_name(example) == digits


@given(st.text() | st.text("0123456789+()- ./\u00a0٤٥", max_size=24))
def test_any_text_is_a_name_or_refused(typed):
    try:
        name = read_name(typed)
    except UnclearNameError:
        return
    assert read_name(name) == name


@given(st.from_regex(r"[1-9][0-9]{4,16}", fullmatch=True))
def test_reading_twice_is_reading_once(digits):
    try:
        name = read_name(digits)
    except UnclearNameError:
        return
    assert read_name(name) == name

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.model import NameKind
from consent.names import kind_of, match_forms

digits = st.text("0123456789", min_size=8, max_size=12)
phones = st.builds(
    str.__add__, st.sampled_from(["55", "52", "521", "54", "549", "49", "1"]), digits
)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param("15551230001", NameKind.PHONE, id="a phone"),
        pytest.param("12345", NameKind.PHONE, id="the shortest phone"),
        pytest.param("1" * 20, NameKind.PHONE, id="the longest phone"),
        pytest.param("1234", None, id="too few digits"),
        pytest.param("1" * 21, None, id="too many digits"),
        pytest.param("015551230001", None, id="no country code begins with 0"),
        pytest.param("+15551230001", None, id="a plus is writing, not name"),
        pytest.param("١٥٥٥١٢٣٠٠٠١", None, id="digits of another script are writing, not name"),
        pytest.param("US.1111222233334444", NameKind.BSUID, id="a BSUID"),
        pytest.param("DE.a1B2", NameKind.BSUID, id="a BSUID with letters"),
        pytest.param("US.ENT.5555666677778888", NameKind.BSUID, id="a parent BSUID"),
        pytest.param("US.ENT.", None, id="a parent BSUID without its id"),
        pytest.param("US." + "1" * 128, NameKind.BSUID, id="the longest BSUID"),
        pytest.param("US." + "1" * 129, None, id="too long for a BSUID"),
        pytest.param("us.1111", None, id="the country of a BSUID is written large"),
        pytest.param("USA.1111", None, id="three letters are no country"),
        pytest.param("US.", None, id="a country alone"),
        pytest.param("US.11-22", None, id="a BSUID has no dash"),
        pytest.param("US.1111\n", None, id="nothing may follow it"),
        pytest.param("15551230001\n", None, id="nor follow a phone"),
        pytest.param("ÄÖ.1111", None, id="two letters of the Latin alphabet"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_kind_of(name, kind):
    assert kind_of(name) is kind


@pytest.mark.parametrize(
    ("phone", "forms"),
    [
        pytest.param(
            "5511987654321", ("551187654321",), id="Brazil: a mobile with its ninth digit"
        ),
        pytest.param("551187654321", ("5511987654321",), id="Brazil: the same without it"),
        pytest.param("551167654321", ("5511967654321",), id="Brazil: mobiles begin with 6"),
        pytest.param("551177654321", ("5511977654321",), id="Brazil: or 7"),
        pytest.param("551197654321", ("5511997654321",), id="Brazil: or 9"),
        pytest.param("551137654321", (), id="Brazil: landlines begin with 3 and have one form"),
        pytest.param("551157654321", (), id="Brazil: or with 5"),
        pytest.param("5511937654321", (), id="Brazil: 9 before a landline's digits is no mobile"),
        pytest.param("5511887654321", (), id="Brazil: a ninth digit is a 9"),
        pytest.param("55118765432", (), id="Brazil: too short for a form"),
        pytest.param("55119876543210", (), id="Brazil: too long for a form"),
        pytest.param("5215512345678", ("525512345678",), id="Mexico: with the mobile 1"),
        pytest.param("525512345678", ("5215512345678",), id="Mexico: without it"),
        pytest.param("5225512345678", (), id="Mexico: thirteen digits and no mobile 1"),
        pytest.param("52551234567", (), id="Mexico: too short for a form"),
        pytest.param("5491123456789", ("541123456789",), id="Argentina: with the mobile 9"),
        pytest.param("541123456789", ("5491123456789",), id="Argentina: without it"),
        pytest.param("5411234567890", (), id="Argentina: thirteen digits and no mobile 9"),
        pytest.param("15551230001", (), id="elsewhere a phone has one form"),
        pytest.param("4915123456789", (), id="as in Germany"),
    ],
)
def test_match_forms(phone, forms):
    assert match_forms(phone) == forms


@given(phones)
def test_who_is_found_by_a_form_finds_back(phone):
    for form in match_forms(phone):
        assert form != phone
        assert kind_of(form) is NameKind.PHONE
        assert match_forms(form) == (phone,)

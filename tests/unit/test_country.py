import phonenumbers
import pytest

from intake.country import country_of

BSUID = "US.1111222233334444"


@pytest.mark.parametrize(
    ("wa_id", "bsuid", "country"),
    [
        pytest.param("15551230001", None, "US", id="a phone of calling code 1"),
        pytest.param("14165550001", None, "US", id="Canada shares it and is given as US"),
        pytest.param("4915123456789", None, "DE", id="a calling code of two digits"),
        pytest.param("5511987654321", None, "BR", id="Brazil"),
        pytest.param("5215512345678", None, "MX", id="Mexico"),
        pytest.param("351912345678", None, "PT", id="a calling code of three digits"),
        pytest.param("447400123456", None, "GB", id="the first of those who share a code"),
        pytest.param("79123456789", None, "RU", id="a calling code of one digit"),
        pytest.param(None, BSUID, "US", id="a BSUID begins with its country"),
        pytest.param(None, "IN.9", "IN", id="however short it is"),
        pytest.param("4915123456789", BSUID, "DE", id="a phone tells before a BSUID"),
        pytest.param("21012345", None, None, id="a code that no country has"),
        pytest.param("00000", None, None, id="zeros"),
        pytest.param(None, None, None, id="no name at all"),
        pytest.param(
            "80012345678", None, None,
            id="a code of no country",
        ),
    ],
)  # fmt: skip
def test_country_of(wa_id, bsuid, country):
    assert country_of(wa_id, bsuid) == country


def test_every_calling_code_is_found():
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        known = None if regions[0] == "001" else regions[0]  # 001: the world, as for +800
        assert country_of(f"{code}23456789", None) == known

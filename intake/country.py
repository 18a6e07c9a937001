"""Which country a contact's name speaks for, as far as a name can tell."""

from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE


def country_of(wa_id: str | None, bsuid: str | None) -> str | None:
    """Return the ISO 3166 letters of the contact's country, or None if no name tells.

    A phone tells by its calling code; all of +1 is given as US. A BSUID begins with the country.
    """
    if wa_id is not None:
        return _of_calling_code(wa_id[:3])
    return bsuid[:2] if bsuid is not None else None


@lru_cache(maxsize=1000)
def _of_calling_code(start: str) -> str | None:
    for length in (1, 2, 3):  # no calling code begins with another one
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(start[:length]))
        if regions:  # "001" stands for numbers of no country, such as +800
            return regions[0] if regions[0].isalpha() else None
    return None

"""Takes a JSON text apart one level at a time without judging what stands deeper.

For bodies that a strict decoder refuses as a whole because of one part: half an emoji, nesting a
thousand deep, bytes that are no UTF-8. Each part comes back exactly as it stood there.
"""

import json
import re
from collections.abc import Iterator

import msgspec

# Up to the next comma or bracket, passing over strings whole, whatever stands in them. On the
# outermost level commas count; deeper only brackets do, which saves most of the steps.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TO_COMMA = re.compile(rb'(?:[^"\[\]{},]++|%b)*+(,|[\[{]++|[\]}]++)' % _STRING, re.DOTALL)
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|%b)*+([\[{]++|[\]}]++)' % _STRING, re.DOTALL)
_MEMBER = re.compile(rb"(%b)[ \t\n\r]*+:[ \t\n\r]*+(.*)" % _STRING, re.DOTALL)
_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_mapping = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_SPACE = b" \t\n\r"


def elements(array: bytes) -> list[bytes]:
    """Return the elements of a JSON array, each as it stood there. Raises ValueError if it is none.

    The elements themselves are not checked: a broken one comes back for its reader to refuse. What
    is empty, as after a last comma, is none: there is nothing in it to set aside.
    """
    try:
        return [bytes(part) for part in _array(array)]
    except (ValueError, RecursionError):
        return [part for part in _parts(array, b"[", b"]") if part.strip()]


def members(obj: bytes) -> dict[str, bytes]:
    """Return the members of a JSON object, values as they stood there; of two like keys the last.

    Raises ValueError if it is no object or a member has no key.
    """
    try:
        return {key: bytes(value) for key, value in _mapping(obj).items()}
    except (ValueError, RecursionError):
        pass
    found: dict[str, bytes] = {}
    for part in _parts(obj, b"{", b"}"):
        member = _MEMBER.fullmatch(part)
        if member is None:
            raise ValueError("a member without a key")
        found[json.loads(member[1].decode("utf-8", "replace"), strict=False)] = member[2]
    return found


def _parts(text: bytes, opening: bytes, closing: bytes) -> Iterator[bytes]:
    """Yield what stands between the commas of the outermost level, without the space around it."""
    text = text.strip(_SPACE)
    if not (text.startswith(opening) and text.endswith(closing) and len(text) > 1):
        raise ValueError("not an array" if opening == b"[" else "not an object")
    start, at, depth, end = 1, 1, 1, len(text) - 1
    while depth > 0:
        step = (_TO_COMMA if depth == 1 else _TO_BRACKET).match(text, at)
        if step is None:
            raise ValueError("brackets or a string without an end")
        found, at = step[1], step.end()
        if found == b",":
            yield text[start : at - 1].strip(_SPACE)
            start = at
        else:
            depth += len(found) if found[0] in b"[{" else -len(found)
    if depth < 0 or at <= end:
        raise ValueError("something after the end")
    last = text[start:end].strip(_SPACE)
    if last or start > 1:
        yield last

"""The one reader of JSON bodies.

Size, UTF-8, nesting, doubled names, numbers that are none and characters that no database stores are refused here, each
with a sentence; what passes is validated strictly (`true` is no integer, `"1"` neither).
"""

from __future__ import annotations

import hmac
import json
import math
import re
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from regulars.contracts.errors import InvalidInput, MalformedRequest, PayloadTooLarge
from regulars.contracts.i18n import N_
from regulars.kernel.i18n import gettext as _
from regulars.kernel.validation import field_errors
from regulars.web.forms import UNSTORABLE
from regulars.web.request import API_BODY_LIMIT, RegularsRequest

Model = TypeVar("Model", bound=BaseModel)
MAX_NESTING = 32
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


class UnsupportedMediaType(MalformedRequest):
    """The body is of a kind that this route does not read."""

    code = "unsupported_media_type"
    status = 415
    title = N_("Send the body as application/json.")


@dataclass(frozen=True, slots=True)
class Body:
    """A body that was read.

    Attributes:
        raw: as it came.
        value: parsed.
    """

    raw: bytes
    value: Any

    def validated(self, model: type[Model]) -> Model:
        """The body as a model.

        Raises:
            InvalidInput: field by field.
        """
        try:
            return model.model_validate_json(self.raw, strict=True)
        except ValidationError as error:
            raise InvalidInput(_("Some fields cannot be accepted."), fields=field_errors(error)) from None

    def fingerprint(self, method: str, path: str, secret: str) -> bytes:
        """HMAC-SHA-256 over method, route and content; spelling of the JSON does not count.

        It is stored, and a body may hold a PIN: without the secret, four digits could be guessed from a plain hash.

        Args:
            method: HTTP method.
            path: route with its arguments.
            secret: the installation's, kept outside the database.
        """
        canonical = json.dumps(self.value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hmac.digest(secret.encode(), f"{method}\0{path}\0{canonical}".encode(), "sha256")


async def read_body(request: RegularsRequest) -> Body:
    """Read the JSON body of a request.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, MalformedRequest: it cannot be read.
    """
    if request.mimetype != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType
    try:
        raw = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    except RequestEntityTooLarge:
        raise PayloadTooLarge(_("At most %(count)s bytes are read here.", count=API_BODY_LIMIT)) from None
    assert isinstance(raw, bytes)
    return Body(raw, parse_json(raw))


def parse_json(raw: bytes) -> Any:
    """Parse JSON without its dark corners.

    Args:
        raw: the whole text.

    Raises:
        MalformedRequest: the sentence says what is wrong.
    """
    if not raw.strip():
        raise MalformedRequest(_("A JSON body is needed."))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedRequest(_("The body is not UTF-8.")) from None
    if _nesting(raw) > MAX_NESTING:
        raise MalformedRequest(_("The body is nested more than %(count)s levels deep.", count=MAX_NESTING))
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_doubles
        )
    except ValueError:
        raise MalformedRequest(_("The body is not JSON.")) from None
    _check_texts(value)
    return value


def _nesting(raw: bytes) -> int:
    """Greatest depth of brackets outside of texts."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_NESTING:
        return 0
    depth = deepest = 0
    for byte in _STRING.sub(b"", raw):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedRequest(_("%(name)s is no JSON number.", name=name))


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedRequest(_("The number %(number)s is too large.", number=text[:20]))
    return number


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedRequest(_("A name occurs twice in one object."))
    return found


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if UNSTORABLE.search(value):
            raise MalformedRequest(_("A text holds characters that cannot be stored."))
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_texts(name)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)

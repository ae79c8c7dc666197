"""Errors that people and machines see: one tree, each with a stable code and an HTTP status.

Domain and plugins raise them; the web layer renders them as a page or as an RFC 9457 problem.
A *refusal* (wrong PIN, cooldown) is not an error: it is a returned value, see `regulars.contracts.ledger`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from regulars.contracts.i18n import N_


class RegularsError(Exception):
    """Base of all designed errors.

    Args:
        detail: a sentence for the person who sees it, already translated, saying what to do.
        extra: further members of the problem document, JSON-serialisable.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = N_("Something went wrong on our side.")

    def __init__(self, detail: str = "", *, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.extra = dict(extra or {})


class BadValue(ValueError):
    """What a validator of settings raises when its sentence has places to fill.

    Args:
        message: English sentence with `%(placeholders)s`, marked with `N_`; translated when shown.
        values: of the placeholders.
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message % values)
        self.message = message
        self.values = values


class InvalidInput(RegularsError):
    """The request is understood but its content is not acceptable.

    Args:
        detail: what is wrong and how to put it right.
        fields: field name → sentence.
    """

    code = "invalid_input"
    status = 422
    title = N_("Some of what you sent cannot be accepted.")

    def __init__(
        self,
        detail: str = "",
        *,
        fields: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail, extra={**({"fields": dict(fields)} if fields else {}), **(extra or {})})
        self.fields = dict(fields or {})


class MalformedRequest(RegularsError):
    """The request cannot be read at all: bad UTF-8, bad JSON, a missing header."""

    code = "malformed_request"
    status = 400
    title = N_("The request could not be read.")


class PayloadTooLarge(RegularsError):
    """The body is larger than this route accepts."""

    code = "payload_too_large"
    status = 413
    title = N_("The request is too large.")


class Unauthenticated(RegularsError):
    """No valid session or API key."""

    code = "unauthenticated"
    status = 401
    title = N_("Please sign in.")


class Forbidden(RegularsError):
    """Signed in, but this role or key may not do it."""

    code = "forbidden"
    status = 403
    title = N_("You may not do this.")


class FeatureNotInOffering(Forbidden):
    """The tenant's offering does not include what was asked for; the problem names the one that does."""

    code = "feature_not_in_offering"
    title = N_("Your offering does not include this.")


class LimitReached(Forbidden):
    """A limit of the offering is used up; the problem names the limit and the offering that has more."""

    code = "limit_reached"
    title = N_("The limit of your offering is reached.")


class TenantUnavailable(Forbidden):
    """The tenant is suspended or closed."""

    code = "tenant_unavailable"
    title = N_("This shop is not available at the moment.")


class NotFound(RegularsError):
    """Nothing here: unknown, of another tenant, or switched off (all three look the same)."""

    code = "not_found"
    status = 404
    title = N_("We could not find this.")


class MethodNotAllowed(RegularsError):
    """The address exists, but not for this method."""

    code = "method_not_allowed"
    status = 405
    title = N_("This address does not accept that method.")


class Conflict(RegularsError):
    """The state does not allow it, or another request got there first."""

    code = "conflict"
    status = 409
    title = N_("This conflicts with the current state.")


class Raced(Conflict):
    """Others took the last of something between reading and writing: the request is tried again from the start."""

    code = "raced"
    title = N_("Somebody else was faster. Please try again.")


class IdempotencyKeyMissing(RegularsError):
    """A write that needs an Idempotency-Key came without one."""

    code = "idempotency_key_missing"
    status = 400
    title = N_("This request needs an Idempotency-Key header.")


class IdempotencyInProgress(Conflict):
    """The same key is being worked on right now; try again after `Retry-After`.

    Attributes:
        retry_after: seconds to wait.
    """

    retry_after: ClassVar[int] = 1
    code = "idempotency_in_progress"
    title = N_("A request with this Idempotency-Key is still in progress.")


class IdempotencyMismatch(RegularsError):
    """The same key came with another body or route."""

    code = "idempotency_mismatch"
    status = 422
    title = N_("This Idempotency-Key was used for a different request.")


class RateLimited(RegularsError):
    """Too many requests; `retry_after` says when to come back.

    Args:
        retry_after: seconds to wait.
    """

    code = "rate_limited"
    status = 429
    title = N_("Too many requests.")

    def __init__(self, detail: str = "", *, retry_after: int) -> None:
        super().__init__(detail, extra={"retry_after": retry_after})
        self.retry_after = retry_after


class Unavailable(RegularsError):
    """A part that this needs does not answer at the moment; nothing was changed or the outcome is unknown.

    Args:
        retry_after: seconds to wait.
    """

    code = "unavailable"
    status = 503
    title = N_("This is not available at the moment, please try again.")

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        super().__init__(detail, extra={"retry_after": retry_after})
        self.retry_after = retry_after


class PluginFault(RegularsError):
    """A ledger hook of a plugin raised: the unit of work is rolled back and the plugin is named.

    Args:
        plugin: name of the plugin at fault.
    """

    code = "plugin_fault"
    status = 500
    title = N_("An extension failed, nothing was changed.")

    def __init__(self, plugin: str, detail: str = "") -> None:
        super().__init__(detail, extra={"plugin": plugin})
        self.plugin = plugin


class ConfigurationError(RegularsError):
    """The installation is set up wrongly; raised at start, each with a sentence that says what to do."""

    code = "configuration_error"


class PluginLoadError(ConfigurationError):
    """A plugin cannot be loaded; one line per fault."""

    code = "plugin_load_error"

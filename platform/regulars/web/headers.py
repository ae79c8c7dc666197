"""Headers of every answer."""

from __future__ import annotations

from werkzeug.datastructures import Headers

from regulars.kernel.config import Config

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'"
)
"""No inline script or style. `data:` pictures are those of the style sheet, `blob:` ones previews of chosen files."""
FRAMED_POLICY = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
"""Of previews, which stand in a frame of our own pages."""

_WASM = "script-src 'self' 'wasm-unsafe-eval'"
_NO_DEVICES = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
_ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": _NO_DEVICES,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STRICT_TRANSPORT = "max-age=31536000"


def allow_camera(headers: Headers) -> None:
    """Let a page use the camera, and the WebAssembly that reads codes in its pictures.

    Args:
        headers: of the answer.
    """
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace("script-src 'self'", _WASM)
    headers["Permissions-Policy"] = _NO_DEVICES.replace("camera=()", "camera=(self)")


def add_headers(headers: Headers, request_id: str, config: Config) -> None:
    """Complete the headers of an answer.

    Args:
        headers: of the answer; what a view has set itself stays.
        request_id: shown to whoever reports a problem.
        config: for the scheme that visitors see.
    """
    present = {name.lower() for name, _ in headers}
    for name, value in _ALWAYS.items():
        if name.lower() not in present:
            headers.add(name, value)
    if config.scheme == "https" and "strict-transport-security" not in present:
        headers.add("Strict-Transport-Security", _STRICT_TRANSPORT)
    headers["X-Request-ID"] = request_id
    add_vary(headers, "Host")


def add_language(headers: Headers, locale: str) -> None:
    """Say which language an answer is in, and that it depends on what the browser and the visitor want."""
    headers.setdefault("Content-Language", locale.replace("_", "-"))
    add_vary(headers, "Accept-Language")
    add_vary(headers, "Cookie")


def add_vary(headers: Headers, name: str) -> None:
    """Say that an answer depends on a request header, beside what it says already."""
    known = [part.strip() for value in headers.getlist("Vary") for part in value.split(",") if part.strip()]
    if name.lower() not in (part.lower() for part in known):
        known.append(name)
    headers["Vary"] = ", ".join(known)

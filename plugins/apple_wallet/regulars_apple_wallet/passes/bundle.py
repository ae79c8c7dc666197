"""A signed pass: pictures, manifest, signature, zip. Everything here is for threads.

Source: Apple, "Building a pass": the manifest has the SHA-1 of every other file; the signature is a detached PKCS #7 of
the manifest with the signing time and the intermediate certificate. SHA-256 is what phones of today take.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from regulars.sdk.pictures import draw_sign, draw_strip, fit_logo
from regulars.sdk.wallets import WalletCard, WalletPass
from regulars_apple_wallet.identity import Identity
from regulars_apple_wallet.passes.face import describe

MIMETYPE = "application/vnd.apple.pkpass"
SCALES = (1, 2, 3)
ICON = 29
LOGO = (160, 50)
STRIP = (375, 144)
STRIP_CUT = 11
"""Some systems show 123 points of a strip's height: as much is cut off above and below."""


def make_file(one: WalletPass, identity: Identity, service_url: str, token: str) -> bytes:
    """The whole file; arguments as for `describe`. Takes some milliseconds when its pictures were drawn before."""
    document, texts = describe(one, identity, service_url, token)
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    files = {"pass.json": content, **texts, **pictures(one.card)}
    manifest = json.dumps(
        {name: hashlib.sha1(part, usedforsecurity=False).hexdigest() for name, part in files.items()}
    ).encode()
    return _zip({**files, "manifest.json": manifest, "signature": sign(manifest, identity)})


def pictures(card: WalletCard) -> Mapping[str, bytes]:
    """Name in the pass → PNG file, for screens of all densities."""
    found = {}
    for scale in SCALES:
        end = "" if scale == 1 else f"@{scale}x"
        found[f"strip{end}.png"] = draw_strip(card.look, card.face.stamps, *STRIP, scale=scale, cut=STRIP_CUT)
        if card.look.logo:
            ground = card.look.background
            found[f"logo{end}.png"] = fit_logo(card.look.logo, *LOGO, scale=scale)
            found[f"icon{end}.png"] = fit_logo(card.look.logo, ICON, ICON, scale=scale, ground=ground)
        else:
            look = card.look
            found[f"icon{end}.png"] = draw_sign(look.icon, look.background, look.foreground, ICON * scale)
    return found


def sign(manifest: bytes, identity: Identity) -> bytes:
    """The detached signature of a manifest, DER."""
    builder = PKCS7SignatureBuilder().set_data(manifest)
    builder = builder.add_signer(identity.certificate, identity.key, SHA256()).add_certificate(identity.intermediate)
    return builder.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Stored, not deflated: PNG files do not get smaller."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as bundle:
        for name, content in files.items():
            bundle.writestr(zipfile.ZipInfo(name), content)
    return output.getvalue()

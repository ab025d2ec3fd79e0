"""How far a camera's TLS is trusted, in the words of its record."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PIN = "pin:"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ACCEPTED = "accepted are pin: and the certificate's SHA-256 (64 hex digits), insecure, and legacy"


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed of one camera. Without any word: what the system's authorities vouch for.

    `pin` is the SHA-256 of the one accepted certificate (DER), in lower case; `insecure` accepts
    any. `legacy` speaks TLS 1.0 and weak ciphers too, for devices that know nothing else; it
    changes nothing about what is believed.
    """

    pin: str = ""
    insecure: bool = False
    legacy: bool = False


def parse(text: str) -> Trust:
    """The words `pin:<64 hex digits>`, `insecure` and `legacy`, with blanks or commas between.

    Raises:
        ValueError: it holds anything else, or words that contradict each other.
    """
    said = set(text.lower().replace(",", " ").split())
    pins = {_digest(word) for word in said if word.startswith(_PIN)}
    flags = {word for word in said if not word.startswith(_PIN)}
    if flags - {"insecure", "legacy"}:
        raise ValueError(f"holds an unknown word; {_ACCEPTED}")
    if len(pins) > 1:
        raise ValueError("holds two pins, and a camera shows one certificate")
    if pins and "insecure" in flags:
        raise ValueError("holds both a pin and insecure, which would believe any certificate")
    return Trust("".join(pins), "insecure" in flags, "legacy" in flags)


def _digest(word: str) -> str:
    digits = word.removeprefix(_PIN).replace(":", "")
    if not _DIGEST.fullmatch(digits):
        raise ValueError(f"holds a pin that is not 64 hex digits; {_ACCEPTED}")
    return digits

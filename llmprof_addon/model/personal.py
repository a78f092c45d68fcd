"""Personal data by its form: addresses, numbers of telephones, cards and accounts, names in paths of home folders.

What `LLMPROF_BODIES=redacted` overwrites. Forms that other things have as well (names, street addresses, dates of
birth) are not looked for: whoever must not keep those keeps no texts.
"""

import re

_FORMS = (
    ("email", re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}\b")),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("card", re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d.-])")),
    ("phone", re.compile(r"(?<![\w+.])\+\d{1,3}[ .-]?\(?\d{1,4}\)?(?:[ .-]?\d{2,4}){2,4}(?![\w.])")),
    ("ip", re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")),
    ("user", re.compile(r"(?:(?<=/home/)|(?<=/Users/)|(?<=\\Users\\))[A-Za-z][\w.-]{0,31}")),
)
_KEPT_IPS = re.compile(r"(?:127|0|10|255)\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.")
"""Addresses that name nobody: of this machine, of private networks."""


def redact_personal(text: str) -> str:
    """The text with `[email]`, `[card]`, … in the place of what has such a form."""
    for name, pattern in _FORMS:
        if name == "user" and "home/" not in text and "Users" not in text:
            continue
        text = pattern.sub(lambda found, name=name: _overwritten(name, found.group()), text)  # type: ignore[misc]
    return text


def _overwritten(name: str, found: str) -> str:
    if name == "card" and not _is_card(found):
        return found
    if name == "iban" and not _is_iban(found):
        return found
    if name == "ip" and (_KEPT_IPS.match(found) or any(int(part) > 255 for part in found.split("."))):
        return found
    return f"[{name}]"


def _is_card(text: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B (Luhn)."""
    digits = [int(digit) for digit in text if digit.isdigit()][::-1]
    doubled = [sum(divmod(2 * digit, 10)) if at % 2 else digit for at, digit in enumerate(digits)]
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _is_iban(text: str) -> bool:
    """The check digits of ISO 13616-1."""
    bare = text.replace(" ", "")
    return int("".join(str(int(letter, 36)) for letter in bare[4:] + bare[:4])) % 97 == 1

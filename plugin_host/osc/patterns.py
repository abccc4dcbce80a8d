"""Address patterns of OSC 1.1.

    ?          one character
    *          any number of characters
    [a-c1]     one of these; [!a-c1] one that is none of these
    {gain,pan} one of these words
    //         any number of parts, none included: //gain, /stemwire//meter

All but the last stay within one part of an address, between two slashes. Matching goes forward
through all places that a pattern may have reached, side by side and never back, so that no pattern
takes more than (its length x the address's length) steps, whatever a stranger makes up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from engine import ConfigError

MAX_CHARACTERS = 256
MAX_WILDCARDS = 16

_SPECIAL = frozenset("*?[]{}")
_DEEP = None  # stands for //

Places = set[int]
Step = Callable[[str, Places], Places]


def is_pattern(address: str) -> bool:
    """Whether an address is a pattern, and not just the name of one thing."""
    return "//" in address or not _SPECIAL.isdisjoint(address)


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Returns a function that tells whether an address fits a pattern.

    Raises:
        ConfigError: if the pattern is none, or is too long.
    """
    wildcards = sum(pattern.count(sign) for sign in "*?[{") + pattern.count("//")
    if len(pattern) > MAX_CHARACTERS or wildcards > MAX_WILDCARDS:
        raise ConfigError(
            f"The pattern {pattern[:40]}... is too long: give at most {MAX_CHARACTERS} characters "
            f"and {MAX_WILDCARDS} wildcards."
        )
    if not pattern.startswith("/"):
        raise ConfigError(f"An address begins with a slash, and {pattern!r} does not.")
    steps = [part and _steps_of(part, pattern) for part in pattern[1:].split("/")]
    parts = [part if part else _DEEP for part in steps]

    def fits(address: str) -> bool:
        names = address[1:].split("/")
        places = {0}
        for part in parts:
            if part is _DEEP:
                places = set(range(min(places), len(names) + 1))
            else:
                places = {at + 1 for at in places if at < len(names) and _fits(part, names[at])}
            if not places:
                return False
        return len(names) in places

    return fits


def _fits(steps: Iterable[Step], name: str) -> bool:
    places = {0}
    for step in steps:
        places = step(name, places)
        if not places:
            return False
    return len(name) in places


def _steps_of(part: str, pattern: str) -> list[Step]:
    """Splits one part of a pattern into steps, each from places in a name to places in it."""
    steps: list[Step] = []
    at = 0
    while at < len(part):
        sign = part[at]
        if sign == "*":
            steps.append(_any_number)
        elif sign == "?":
            steps.append(_one)
        elif sign in "[{":
            end = part.find("]" if sign == "[" else "}", at)
            if end < 0:
                raise ConfigError(f"The pattern {pattern} opens {sign} and does not close it.")
            inside = part[at + 1 : end]
            steps.append(_one_of(inside) if sign == "[" else _word_of(inside.split(",")))
            at = end
        elif sign in "]}":
            raise ConfigError(f"The pattern {pattern} closes {sign} without opening it.")
        else:
            end = at
            while end < len(part) and part[end] not in _SPECIAL:
                end += 1
            steps.append(_word_of([part[at:end]]))
            at = end - 1
        at += 1
    return steps


def _any_number(name: str, places: Places) -> Places:
    return set(range(min(places), len(name) + 1))


def _one(name: str, places: Places) -> Places:
    return {at + 1 for at in places if at < len(name)}


def _one_of(inside: str) -> Step:
    wanted = not inside.startswith("!")
    listed = inside if wanted else inside[1:]
    characters: set[str] = set()
    at = 0
    while at < len(listed):
        if listed[at + 1 : at + 2] == "-" and at + 2 < len(listed):
            first, last = sorted((ord(listed[at]), ord(listed[at + 2])))
            characters.update(map(chr, range(first, min(last, 0x7F) + 1)))
            at += 3
        else:
            characters.add(listed[at])
            at += 1

    def step(name: str, places: Places) -> Places:
        return {at + 1 for at in places if at < len(name) and (name[at] in characters) is wanted}

    return step


def _word_of(words: list[str]) -> Step:
    def step(name: str, places: Places) -> Places:
        return {at + len(word) for at in places for word in words if name.startswith(word, at)}

    return step

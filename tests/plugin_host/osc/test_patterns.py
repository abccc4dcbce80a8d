"""Patterns match as OSC 1.1 says, and none of them takes long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ConfigError
from plugin_host.osc.patterns import is_pattern, matcher


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("/a/b", ["/a/b"], ["/a", "/a/b/c", "/a/bb"]),
        ("/a/*", ["/a/b", "/a/"], ["/a", "/a/b/c"]),
        ("/a/b*d", ["/a/bd", "/a/bcd", "/a/bddd"], ["/a/b", "/a/bc"]),
        ("/a/*b*b*", ["/a/bb", "/a/xbxbx"], ["/a/b", "/a/ab"]),
        ("/?/b", ["/a/b", "/z/b"], ["/ab/b", "//b"]),
        ("/[abc]", ["/a", "/c"], ["/d", "/ab"]),
        ("/[a-c]x", ["/ax", "/cx"], ["/dx"]),
        ("/[c-a]x", ["/ax", "/bx"], ["/dx"]),
        ("/[!a-c]", ["/d"], ["/a", "/b"]),
        ("/[a-]", ["/a", "/-"], ["/b"]),
        ("/{gain,pan}", ["/gain", "/pan"], ["/gain,pan", "/gai"]),
        ("/g{,ain}", ["/g", "/gain"], ["/gai"]),
        ("/{a,ab}c", ["/ac", "/abc"], ["/abbc"]),
        ("//gain", ["/gain", "/a/gain", "/a/b/gain"], ["/a/gain/b", "/again"]),
        ("/a//gain", ["/a/gain", "/a/b/c/gain"], ["/gain", "/b/gain"]),
        ("/a//", ["/a", "/a/b", "/a/b/c"], ["/b"]),
        ("//*", ["/a", "/a/b"], []),
        ("//b//c", ["/b/c", "/a/b/x/c"], ["/c/b"]),
    ],
)
def test_patterns_mean_what_the_standard_says(pattern, fitting, others):
    fits = matcher(pattern)
    assert all(map(fits, fitting))
    assert not any(map(fits, others))


@pytest.mark.parametrize("pattern", ["/[ab", "/{a,b", "/a]", "/a}", "a/b", "", "/" + "*" * 17])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(ConfigError):
        matcher(pattern)


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab", max_size=8))
def test_stars_and_question_marks_match_as_in_a_shell(pattern, name):
    expected = re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))
    if pattern:  # an empty part means any number of parts
        assert matcher(f"/{pattern}")(f"/{name}") is bool(expected.fullmatch(name))


def test_only_patterns_are_patterns():
    assert not is_pattern("/stemwire/stem/drums/gain_db")
    assert all(map(is_pattern, ["/a*", "/a?", "/[a]", "/{a}", "//a"]))


def test_no_pattern_takes_long():
    fits = matcher("/" + "*a" * 15 + "*b")
    start = time.perf_counter()
    assert not fits("/" + "a" * 60)
    assert time.perf_counter() - start < 0.1  # backtracking would take years

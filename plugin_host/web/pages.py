"""What is answered to a request: the mixer's files, or the tree of addresses as JSON.

/                       the mixer to who asks for HTML, the whole tree to all others
/?HTML                  the mixer
/?HOST_INFO             what the server can do, and its ports
/mixer/fader.js         a file of the mixer
/stemwire/bypass        a node of the tree
/stemwire/bypass?VALUE  one of its attributes
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from aiohttp import web

from plugin_host.web.tree import ATTRIBUTES

_FOLDER = "/mixer/"
_INDEX = "index.html"
_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class _File:
    body: bytes
    kind: str
    tag: str


class Pages:
    """The mixer's files, read once: no request ever reaches the disk."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        for file in files("plugin_host.web").joinpath("page").iterdir():
            kind = _TYPES.get(file.name.rpartition(".")[2])
            if kind is not None:
                body = file.read_bytes()
                tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                self._files[_FOLDER + file.name] = _File(body, kind, tag)

    def find(self, request: web.Request) -> web.Response | None:
        """Returns the file that a request means; None if it means none."""
        file = self._files.get(request.path)
        if file is None and _wants_page(request):
            file = self._files[_FOLDER + _INDEX]
        if file is None:
            return None
        headers = {**_HEADERS, "ETag": file.tag, "Vary": "Accept"}
        if request.headers.get("If-None-Match") == file.tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.body, headers={**headers, "Content-Type": file.kind})


def answer(node: dict[str, Any] | None, query: str) -> web.Response:
    """Returns the answer to a question about a node.

    Args:
        node: of the tree; None if there is none.
        query: the attribute that is asked for; empty for all of them.
    """
    if node is None:
        return _json({"error": "There is no such address."}, 404)
    attribute = query.partition("&")[0].partition("=")[0]
    if not attribute:
        return _json(node)
    if attribute not in ATTRIBUTES:
        return _json({"error": f"The attributes are {', '.join(sorted(ATTRIBUTES))}."}, 400)
    if attribute not in node:
        return web.Response(status=204, headers=_HEADERS)
    return _json({attribute: node[attribute]})


def _json(data: dict[str, Any], status: int = 200) -> web.Response:
    body = json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    headers = {**_HEADERS, "Content-Type": "application/json", "Vary": "Accept"}
    return web.Response(body=body, status=status, headers=headers)


def _wants_page(request: web.Request) -> bool:
    if request.query_string == "HTML":
        return True
    asks_for_html = "text/html" in request.headers.get("Accept", "")
    return request.path == "/" and not request.query_string and asks_for_html

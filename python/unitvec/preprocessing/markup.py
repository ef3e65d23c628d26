"""HTML to the text that a reader would see, through the standard library's parser."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

#: What stands in these is not read.
_UNREAD = ("script", "style", "template")

#: Elements that stand within a line: they do not part words ("un<b>believ</b>able").
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "label",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)

_MARKUP = re.compile(r"[<&]")
_SPACES = re.compile(r"[^\S\n]*\n\s*|[^\S\n]{2,}")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _UNREAD:
            self._unread += 1
        self._part(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD and self._unread:
            self._unread -= 1
        self._part(tag)

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.parts.append(data)

    def _part(self, tag: str) -> None:
        if tag not in _INLINE:
            self.parts.append("\n" if tag in ("br", "p", "div", "li", "tr") else " ")


def text_of_html(text: str) -> str:
    """The text without tags, comments, scripts and style sheets, character references resolved.

    Elements that are not part of a line become a space or a line end, of which no two follow each
    other. A "<" that begins no whole tag is text.
    """
    if not _MARKUP.search(text):
        return text
    if "<" not in text:
        return unescape(text)
    parser = _Text()
    parser.feed(text)
    rest = parser.rawdata  # what is not whole; `close` would drop it or not, as Python's release
    if not parser._unread:
        parser.parts.append(unescape(rest))
    joined = "".join(parser.parts)
    return _SPACES.sub(lambda m: "\n" if "\n" in m[0] else " ", joined).strip()

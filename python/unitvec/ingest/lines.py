"""Text, Markdown, reStructuredText and HTML as numbered lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

#: Underlines, rules and table borders: no words in them, yet a token for every character.
_DECORATION = re.compile(r"[\s=\-~^\"'#*+_.:`|<>]*")

_HTML_READ_AT_ONCE = 2**16
_HTML_HIDDEN = {"script", "style", "template", "noscript"}
_HTML_INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i"),
    *("ins", "kbd", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time"),
    *("tt", "u", "var", "wbr"),
}


class Line(NamedTuple):
    """A line of a file; `number` counts from 1. A blank one separates paragraphs."""

    number: int
    text: str


def text_lines(path: Path) -> Iterator[Line]:
    """The lines of a text file in UTF-8; those of punctuation alone count as blank.

    Raises:
        UnicodeDecodeError: the file is in another encoding, or not text.
    """
    with path.open(encoding="utf-8-sig") as stream:
        for number, text in enumerate(stream, 1):
            text = text.rstrip()
            yield Line(number, "" if _DECORATION.fullmatch(text) else text)


def html_lines(path: Path) -> Iterator[Line]:
    """The visible text of an HTML file in UTF-8, one line a block, numbered as in the file."""
    parser = _VisibleText()
    with path.open(encoding="utf-8-sig") as stream:
        while block := stream.read(_HTML_READ_AT_ONCE):
            parser.feed(block)
            yield from parser.take()
    parser.close()
    parser.end_block()
    yield from parser.take()


class _VisibleText(HTMLParser):
    """Collects the text between block elements, with the line on which each piece begins."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[Line] = []
        self._words: list[str] = []
        self._start = 1
        self._hidden = 0

    def take(self) -> list[Line]:
        """The lines finished since the last call."""
        lines, self._lines = self._lines, []
        return lines

    def end_block(self) -> None:
        """What follows is on a line of its own."""
        text = " ".join("".join(self._words).split())
        if text:
            self._lines.append(Line(self._start, text))
        self._words = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Blocks end lines; headings and paragraphs also begin a new paragraph."""
        if tag in _HTML_HIDDEN:
            self._hidden += 1
        if tag not in _HTML_INLINE:
            self.end_block()
            if re.fullmatch(r"p|h[1-6]|section|article|table|ul|ol|pre", tag):
                self._lines.append(Line(self.getpos()[0], ""))

    def handle_endtag(self, tag: str) -> None:
        """Ends what `handle_starttag` began."""
        if tag in _HTML_HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        if tag not in _HTML_INLINE:
            self.end_block()

    def handle_data(self, data: str) -> None:
        """Keeps text unless it is hidden."""
        if self._hidden or not data:
            return
        if not any(word.strip() for word in self._words):
            leading = data[: len(data) - len(data.lstrip())]
            self._start = self.getpos()[0] + leading.count("\n")
        self._words.append(data)

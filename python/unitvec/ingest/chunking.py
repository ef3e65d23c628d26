"""Long texts cut into overlapping chunks that the model reads to their end."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from unitvec.ingest.lines import Line

#: Tokens of each text, counted by the model's own tokeniser.
CountTokens = Callable[[list[str]], Sequence[int]]

#: Lines counted at a time.
_LINES_AT_ONCE = 512

#: Part of a chunk that the next one repeats, so that a thought cut in two is whole in one of them.
OVERLAP = 1 / 8


class Chunk(NamedTuple):
    """Text of consecutive lines, both ends counted, the first line of a file being 1."""

    text: str
    first_line: int
    last_line: int


class _Piece(NamedTuple):
    """A line, or a part of a line too long for one chunk; a blank one has no tokens."""

    number: int
    text: str
    tokens: int
    starts_line: bool = True


class Chunker:
    """Cuts lines into chunks of at most `limit` tokens.

    Args:
        count: counts tokens, special ones included or not.
        max_seq_length: what the model reads, special tokens included.
        prefix: a prompt that the encoder puts before every text.
    """

    def __init__(self, count: CountTokens, max_seq_length: int, prefix: str = "") -> None:
        self._count = count
        self._base = int(count([""])[0])  # special tokens, if `count` counts them
        prompt = int(count([prefix])[0]) - self._base
        self.limit = max_seq_length - max(2, self._base) - prompt  # [CLS] and [SEP]
        if self.limit < 1:
            raise ValueError(
                f"[index] expected max_seq_length above {max_seq_length - self.limit}, the tokens "
                f"around each text, got {max_seq_length}"
            )
        self._aim = max(1, int(self.limit * OVERLAP))

    def chunks(self, lines: Iterable[Line]) -> Iterator[Chunk]:
        """The chunks of a text, in order; none for a text without words.

        A cut is made at the last blank line of the chunk's second half, where there is one, and
        the next chunk repeats up to an eighth of the one before.
        """
        window: list[_Piece] = []
        fresh = 0  # pieces at the window's end that no chunk has yet
        for piece in self._pieces(lines):
            while window and _tokens_in(window) + piece.tokens > self.limit:
                cut = self._cut(window, fresh)
                rest = window[cut:]
                if _tokens_in(window[len(window) - fresh : cut]):
                    yield _joined(window[:cut])
                ahead = _tokens_in(rest) + piece.tokens
                window = [*self._overlap(window[:cut], ahead), *rest]
                fresh = len(rest)
            window.append(piece)
            fresh += 1
        if _tokens_in(window[len(window) - fresh :]):
            yield _joined(window)

    def _cut(self, window: Sequence[_Piece], fresh: int) -> int:
        """Where to end a chunk: after the last blank line of its second half, or at its end."""
        reached, cut = 0, len(window)
        total = _tokens_in(window)
        for i, piece in enumerate(window):
            reached += piece.tokens
            if not piece.tokens and 2 * reached >= total and i >= len(window) - fresh:
                cut = i + 1
        return cut

    def _overlap(self, pieces: Sequence[_Piece], ahead: int) -> list[_Piece]:
        """The end of a chunk that the next repeats, leaving room for `ahead` tokens."""
        room = min(self._aim, self.limit - ahead)
        kept: list[_Piece] = []
        for piece in reversed(pieces):
            room -= piece.tokens
            if room < 0:
                break
            kept.insert(0, piece)
        return kept

    def _pieces(self, lines: Iterable[Line]) -> Iterator[_Piece]:
        """Lines, the longer ones in parts no longer than the overlap, so that it is never empty."""
        lines = iter(lines)
        while group := list(itertools.islice(lines, _LINES_AT_ONCE)):
            for line, tokens in zip(group, self._tokens([x.text for x in group]), strict=True):
                if tokens <= self._aim:
                    yield _Piece(line.number, line.text, tokens)
                else:
                    yield from self._split(line)

    def _tokens(self, texts: list[str]) -> list[int]:
        return [int(n) - self._base for n in self._count(texts)]

    def _split(self, line: Line) -> Iterator[_Piece]:
        """Runs of words that end with a sentence where one ends in the second half of the run."""
        run: list[str] = []
        tokens = 0
        is_first = True
        for word, size in self._words(re.findall(r"\S+\s*", line.text)):
            ends_sentence = bool(run) and run[-1].rstrip().endswith((".", "!", "?", "。"))
            if run and (tokens + size > self._aim or (ends_sentence and 2 * tokens > self._aim)):
                yield _Piece(line.number, "".join(run), tokens, is_first)
                run, tokens, is_first = [], 0, False
            run.append(word)
            tokens += size
        yield _Piece(line.number, "".join(run), tokens, is_first)

    def _words(self, words: list[str]) -> Iterator[tuple[str, int]]:
        """Words with their tokens; one longer than the overlap (Chinese, base64) in halves."""
        for word, size in zip(words, self._tokens(words), strict=True):
            if size > self._aim and len(word) > 1:
                middle = len(word) // 2
                yield from self._words([word[:middle], word[middle:]])
            else:
                yield word, size


def _tokens_in(pieces: Iterable[_Piece]) -> int:
    return sum(piece.tokens for piece in pieces)


def _joined(pieces: Sequence[_Piece]) -> Chunk:
    """Pieces as one text: parts of one line as they were, lines by line breaks."""
    text = "".join("\n" * piece.starts_line + piece.text for piece in pieces)
    worded = [piece.number for piece in pieces if piece.tokens]
    return Chunk(text.strip(), min(worded), max(worded))

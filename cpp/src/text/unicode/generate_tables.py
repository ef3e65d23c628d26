"""Writes ../unicode_tables.cpp and ../word_class_tables.cpp from the Unicode Character Database.

The version is 16.0.0.

Usage: python generate_tables.py FOLDER      (see README.md for where the folder comes from)

The tables follow the libraries that Hugging Face's `tokenizers` 0.23 is built on, each of which
stands at a Unicode version of its own, because a vocabulary was learnt with them:

    general categories (marks, punctuation, controls)   8.0   crate unicode_categories
    canonical decompositions, combining classes         9.0   crate unicode-normalization-alignments
    letters, numbers, word characters                  16.0   the regular expression engines
    white space, lower case                            17.0   Rust's standard library

The classes of word_class.hpp, which cut text into words as people mean them, are those of 16.0.

Characters younger than the version of a table are left out by their age. A few characters have
changed category since; CHANGED_SINCE_8 and CHANGED_SINCE_9 undo that. An exhaustive comparison over
all code points is in tests/realdata/test_tokenizer_realdata.py.
"""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

VERSION = "16.0.0"

# code point -> its category in Unicode 8.0 (found by comparing every code point)
CHANGED_SINCE_8 = {
    0x166D: "Po",  # CANADIAN SYLLABICS CHI SIGN: So today
    0x1734: "Mn",  # HANUNOO SIGN PAMUDPOD: Mc today
    0x1885: "Lo",  # MONGOLIAN LETTER ALI GALI BALUDA: Mn today
    0x1886: "Lo",  # MONGOLIAN LETTER ALI GALI THREE BALUDA: Mn today
    0xA9BD: "Mc",  # JAVANESE CONSONANT SIGN KERET: Mn today
    0x111C9: "Po",  # SHARADA SANDHI MARK: Mn today
    0x1171E: "Mn",  # AHOM CONSONANT SIGN MEDIAL RA: Mc today
}
# code point -> whether it was a mark in Unicode 9.0, where that differs from today
CHANGED_SINCE_9 = {0x1CF2: True, 0x1CF3: True, 0x111C9: False}
# capital letters that Unicode 17.0 added -> their lower case
LOWER_SINCE_17 = {
    0xA7CE: 0xA7CF,  # LATIN LETTER PHARYNGEAL VOICED FRICATIVE
    0xA7D2: 0xA7D3,  # LATIN LETTER DOUBLE THORN
    0xA7D4: 0xA7D5,  # LATIN LETTER DOUBLE WYNN
    **{c: c + 0x1B for c in range(0x16EA0, 0x16EB9)},  # BERIA ERFE letters
}

FLAGS = {
    "mark_nonspacing": 1,
    "control": 2,
    "punctuation": 4,
    "whitespace": 8,
    "mark": 16,
    "letter": 32,
    "number": 64,
    "word": 128,
}
TEMPLATE = """\
// Made by unicode/generate_tables.py from the Unicode Character Database {version}; do not edit.
// clang-format off
#include "unicode_tables.hpp"

namespace unitvec::unicode_tables {{
namespace {{

constexpr PropertyRange kProperties[] = {{
{properties}
}};

constexpr ClassRange kCombiningClasses[] = {{
{classes}
}};

constexpr Decomposition kDecompositions[] = {{
{decompositions}
}};

constexpr LowerCase kLowerCases[] = {{
{lower_cases}
}};

}}  // namespace

std::span<const PropertyRange> properties() {{ return kProperties; }}
std::span<const ClassRange> combining_classes() {{ return kCombiningClasses; }}
std::span<const Decomposition> decompositions() {{ return kDecompositions; }}
std::span<const LowerCase> lower_cases() {{ return kLowerCases; }}

}}  // namespace unitvec::unicode_tables
"""

# The values of word_class.hpp's WordClass, in its order.
WORD_CLASSES = (
    "other",
    "space",
    "letter",
    "upper",
    "mark",
    "digit",
    "number",
    "connector",
    "punctuation",
    "symbol",
    "format",
    "ideograph",
    "hiragana",
    "katakana",
    "emoji",
    "regional",
    "modifier",
)
WORD_CLASS_TEMPLATE = """\
// Made by unicode/generate_tables.py from the Unicode Character Database {version}; do not edit.
// clang-format off
#include "word_class.hpp"

namespace unitvec {{
namespace {{

constexpr WordClassRange kRanges[] = {{
{ranges}
}};

}}  // namespace

std::span<const WordClassRange> word_class_ranges() {{ return kRanges; }}

}}  // namespace unitvec
"""


class Database:
    """The fields of the Unicode Character Database that the tables need, by code point."""

    def __init__(self, folder: Path) -> None:
        self.category: dict[int, str] = {}
        self.combining_class: dict[int, int] = {}
        self.decomposition: dict[int, list[int]] = {}
        self.lower: dict[int, list[int]] = {}
        self.age: dict[int, tuple[int, int]] = {}
        self._read_characters(self._load(folder, "UnicodeData"))
        self._read_ages(self._load(folder, "DerivedAge"))
        for row in self._load(folder, "SpecialCasing"):
            if not row.get("conditions"):  # conditional mappings depend on language or context
                self.lower[int(row["codepoint"], 16)] = [int(c, 16) for c in row["lowerSequence"]]
        self.lower |= {code: [lower] for code, lower in LOWER_SINCE_17.items()}
        whitespace = [r for r in self._load(folder, "PropList") if r["property"] == "White_Space"]
        self.whitespace = {c for row in whitespace for c in code_points(row["range"])}
        core = self._load(folder, "DerivedCoreProperties")
        alphabetic = [r for r in core if r["property"] == "Alphabetic"]
        self.alphabetic = {c for row in alphabetic for c in code_points(row["range"])}
        self.script = {
            c: row["script"]
            for row in self._load(folder, "Scripts")
            for c in code_points(row["range"])
        }
        self.emoji: dict[str, set[int]] = {}
        for row in self._load(folder / "emoji", "emoji-data"):
            self.emoji.setdefault(row["property"], set()).update(code_points(row["range"]))

    @staticmethod
    def _load(folder: Path, name: str) -> list[dict]:
        return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))[name]

    def _read_characters(self, rows: list[dict]) -> None:
        first = 0
        for row in rows:
            code = int(row["codepoint"], 16)
            if row["name"].endswith(", First>"):
                first = code
                continue
            last_of_range = row["name"].endswith(", Last>")
            for c in range(first if last_of_range else code, code + 1):
                self.category[c] = row["category"]
            if row["canonicalCombiningClass"] != "0":
                self.combining_class[code] = int(row["canonicalCombiningClass"])
            mapping = row.get("characterDecompositionMapping", "")
            if mapping and not mapping.startswith("<"):
                self.decomposition[code] = [int(c, 16) for c in mapping.split()]
            if "lower" in row:
                self.lower[code] = [int(row["lower"], 16)]

    def _read_ages(self, rows: list[dict]) -> None:
        for row in rows:
            major, minor = row["unicodeVersion"].split(".")[:2]
            for c in code_points(row["range"]):
                self.age[c] = (int(major), int(minor))

    def category_8(self, code: int) -> str:
        """The general category in Unicode 8.0."""
        old_enough = self.age.get(code, (99, 0)) <= (8, 0)
        return CHANGED_SINCE_8.get(code, self.category.get(code, "Cn")) if old_enough else "Cn"

    def is_mark_9(self, code: int) -> bool:
        """Whether the character is a mark (Mn, Mc, Me) in Unicode 9.0."""
        is_mark = CHANGED_SINCE_9.get(code, self.category.get(code, "Cn").startswith("M"))
        return is_mark and self.age.get(code, (99, 0)) <= (9, 0)

    def is_word(self, code: int) -> bool:
        r"""Whether the character matches \w (UTS 18, annex C)."""
        category = self.category.get(code, "Cn")
        joins = code in (0x200C, 0x200D)  # Join_Control
        return code in self.alphabetic or category[0] == "M" or category in ("Nd", "Pc") or joins

    def full_decomposition(self, code: int) -> list[int]:
        """The canonical decomposition, applied until nothing changes."""
        if code not in self.decomposition:
            return [code]
        return [d for c in self.decomposition[code] for d in self.full_decomposition(c)]


def code_points(bounds: list[str]) -> range:
    """The code points of a range written as one or two hexadecimal numbers."""
    return range(int(bounds[0], 16), int(bounds[-1], 16) + 1)


def properties(db: Database, code: int) -> int:
    """The flags of one code point."""
    category = db.category_8(code)
    flags = 0
    if category == "Mn":
        flags |= FLAGS["mark_nonspacing"]
    if category in ("Cc", "Cf", "Co", "Cs"):
        flags |= FLAGS["control"]
    if category.startswith("P"):
        flags |= FLAGS["punctuation"]
    if code in db.whitespace:
        flags |= FLAGS["whitespace"]
    if db.is_mark_9(code):
        flags |= FLAGS["mark"]
    if db.category.get(code, "Cn")[0] == "L":
        flags |= FLAGS["letter"]
    if db.category.get(code, "Cn")[0] == "N":
        flags |= FLAGS["number"]
    if db.is_word(code):
        flags |= FLAGS["word"]
    return flags


def word_class(db: Database, code: int) -> str:
    """The WordClass of one code point."""
    category = db.category.get(code, "Cn")
    script = db.script.get(code, "Unknown")
    if code in (0x200C, 0x200D):  # joiners: part of words in Persian and the scripts of India
        return "mark"
    if code in db.whitespace or category == "Cc" or code == 0x200B:  # ZERO WIDTH SPACE: Cf
        return "space"
    if 0x1F1E6 <= code <= 0x1F1FF:
        return "regional"
    if code in db.emoji["Emoji_Modifier"]:
        return "modifier"
    # Arrows, signs such as the copyright's and the like are pictures only where U+FE0F says so.
    if code in db.emoji["Emoji_Presentation"] or (
        code >= 0x2600 and category == "So" and code in db.emoji["Extended_Pictographic"]
    ):
        return "emoji"
    if category[0] in "LN" and script == "Han":
        return "ideograph"
    if category[0] == "L" and script in ("Hiragana", "Katakana"):
        return script.lower()
    if code in (0x30FC, 0xFF70):  # the mark that lengthens a vowel of either script
        return "mark"
    simple = {"Lu": "upper", "Lt": "upper", "Nd": "digit", "Pc": "connector", "Cf": "format"}
    by_first = {"L": "letter", "M": "mark", "N": "number", "P": "punctuation", "S": "symbol"}
    return simple.get(category, by_first.get(category[0], "other"))


def ranges(value: Callable[[int], int]) -> list[tuple[int, int, int]]:
    """Runs (first, last, value) of code points whose value is the same and not 0."""
    runs: list[tuple[int, int, int]] = []
    for code in range(0x110000):
        v = value(code)
        if v and runs and runs[-1][1] == code - 1 and runs[-1][2] == v:
            runs[-1] = (runs[-1][0], code, v)
        elif v:
            runs.append((code, code, v))
    return runs


def rows(items: Iterable[str]) -> str:
    """The items, separated by commas, in lines of at most 100 columns."""
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > 100:
            lines.append(line)
            line = "   "
        line += f" {item},"
    return "\n".join([*lines, line])


def mapping(code: int, to: list[int]) -> str:
    """A code point and what it becomes, as a C++ initialiser."""
    return f"{{{code:#x}, {{{', '.join(f'{c:#x}' for c in to)}}}}}"


def main() -> None:
    """Reads the database in the folder of the command line and writes the tables."""
    db = Database(Path(sys.argv[1]))
    old = {c for c, age in db.age.items() if age <= (9, 0)}
    decompositions = {c: db.full_decomposition(c) for c in sorted(db.decomposition) if c in old}
    classes = {c: v for c, v in db.combining_class.items() if c in old}
    lower = {c: v for c, v in sorted(db.lower.items()) if v != [c]}
    property_runs = ranges(lambda code: properties(db, code))
    class_runs = ranges(lambda code: classes.get(code, 0))
    text = TEMPLATE.format(
        version=VERSION,
        properties=rows(f"{{{first:#x}, {last:#x}, {v}}}" for first, last, v in property_runs),
        classes=rows(f"{{{first:#x}, {last:#x}, {v}}}" for first, last, v in class_runs),
        decompositions=rows(mapping(code, to) for code, to in decompositions.items()),
        lower_cases=rows(mapping(code, to) for code, to in lower.items()),
    )
    folder = Path(__file__).parent.parent
    folder.joinpath("unicode_tables.cpp").write_text(text, encoding="utf-8")
    word_class_runs = ranges(lambda code: WORD_CLASSES.index(word_class(db, code)))
    text = WORD_CLASS_TEMPLATE.format(
        version=VERSION,
        ranges=rows(f"{{{first:#x}, {last:#x}, {v}}}" for first, last, v in word_class_runs),
    )
    folder.joinpath("word_class_tables.cpp").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

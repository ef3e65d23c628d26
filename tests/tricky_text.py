"""Texts that tokenizers get wrong, for Hypothesis; and how many of them a run tries."""

from __future__ import annotations

import os

from hypothesis import strategies as st

FRAGMENTS = (
    *("\u0301", "\u0323\u0301", "\u0345", "e\u0301\u0323", "\u302e", "\u1ab0", "\u20dd"),  # marks
    *("\U0001f469\u200d\U0001f52c", "\U0001f3f3\ufe0f\u200d\U0001f308", "\U0001f1e9\U0001f1ea"),
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e"),  # no width
    *("\u05e9\u05c1\u05dc\u05d5\u05dd", "\u0645\u064e\u0631\u0652", "\u202e", "\u200f", "\u2067"),
    *("\x00", "\x01", "\x7f", "\x85", "\ufffd", "\ufffe", "\U0010ffff"),
    *(" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u2028"),
    *("\u4e2d\u6587", "\u30c6\u30ad", "\ud55c\uad6d", "\u1112\u1161\u11ab", "\u0e44\u0e17\u0e22"),
    *("'s", "n't", "I'd", "--", "...", "$5.99", "a_b", "C++", "x\u00b2", "\u2167", "\u0661\u0662"),
    *("\u0130", "\u0131", "\u00df", "\u1e9e", "\u03a3", "\u01c5", "\ufb03", "\u1f88", "\u0149"),
    *("[SEP]", "[MASK]", "<mask>", "<s>", "##ing", "\u0120", "the", "unaffable", "Encoding"),
)

#: Any characters but surrogates, and fragments in any order and number.
tricky_text = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.lists(
        st.one_of(
            st.sampled_from(FRAGMENTS),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
            st.text("abeinstxyz", max_size=8),
        ),
        max_size=16,
    ).map("".join),
)


def examples(usual: int) -> int:
    """How many examples a property is tried on; `make reliability` asks for more."""
    return max(usual, int(os.environ.get("UNITVEC_EXAMPLES", "0")))

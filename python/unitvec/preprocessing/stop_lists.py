"""Words that say little by themselves, by the name of a list."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from unitvec import _core
from unitvec.extras import load_extra
from unitvec.preprocessing.arguments import require_text

_ARTICLES = "a an the"
_CONJUNCTIONS = (
    "although and as because but if lest nor or since so than that though unless until when "
    "whenever where whereas wherever whether while yet"
)
_PREPOSITIONS = (
    "about above across after against along amid among around at before behind below beneath "
    "beside between beyond by despite down during except for from in inside into near of off on "
    "onto out outside over per through throughout to toward towards under up upon via with within "
    "without"
)
_PRONOUNS = (
    "i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his "
    "himself she her hers herself it its itself they them their theirs themselves one oneself "
    "this that these those who whom whose which what whoever whatever whichever "
    "anybody anyone anything everybody everyone everything somebody someone something"
)
_BE = "am is are was were be been being"
_BE_CONTRACTED = (
    "i'm you're he's she's it's we're they're that's who's what's there's here's where's"
)

# Function words that the minimal list leaves alone: they carry time, mood, amount or negation.
_AUXILIARIES = (
    "have has had having do does did doing will would shall should can could may might must cannot"
)
_NEGATIONS = (
    "no not don't doesn't didn't isn't aren't wasn't weren't haven't hasn't hadn't won't wouldn't "
    "shan't shouldn't can't couldn't mustn't"
)
_CONTRACTED = (
    "i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll it'll "
    "we'll they'll let's"
)
_OTHERS = (
    "again all also any both each few further here how just more most other only own same some "
    "such then there too very why now once ever"
)
# Prepositions and conjunctions that say enough to stay in the usual list.
_STAY = (
    "across along amid among around behind beneath beside beyond despite except inside lest near "
    "onto outside per throughout toward towards upon via within without whenever whereas wherever "
    "yet unless although though whoever whatever whichever one oneself anybody anyone anything "
    "everybody everyone everything somebody someone something since"
)
_REQUESTS = (
    "want wants wanted wanting need needs needed needing look looks looking looked find finding "
    "search searching seek seeking show tell give get please like would could can may might let "
    "try trying wish wishing hope hoping interested some any there how i'd i'll i've let's"
)

_MINIMAL = frozenset(
    " ".join([_ARTICLES, _CONJUNCTIONS, _PREPOSITIONS, _PRONOUNS, _BE, _BE_CONTRACTED]).split()
)
_LISTS: dict[str, frozenset[str]] = {
    "english": (_MINIMAL - frozenset(_STAY.split()))
    | frozenset(" ".join([_AUXILIARIES, _NEGATIONS, _CONTRACTED, _OTHERS]).split()),
    "minimal": _MINIMAL,
    "search": _MINIMAL | frozenset(_REQUESTS.split()),
}

#: Names of languages whose lists come from the package stopwordsiso, by its (ISO 639-1) code.
_LANGUAGES = {
    "afrikaans": "af", "arabic": "ar", "armenian": "hy", "basque": "eu", "bengali": "bn",
    "breton": "br", "bulgarian": "bg", "catalan": "ca", "chinese": "zh", "croatian": "hr",
    "czech": "cs", "danish": "da", "dutch": "nl", "esperanto": "eo", "estonian": "et",
    "finnish": "fi", "french": "fr", "galician": "gl", "german": "de", "greek": "el",
    "gujarati": "gu", "hausa": "ha", "hebrew": "he", "hindi": "hi", "hungarian": "hu",
    "indonesian": "id", "irish": "ga", "italian": "it", "japanese": "ja", "korean": "ko",
    "kurdish": "ku", "latin": "la", "latvian": "lv", "lithuanian": "lt", "malay": "ms",
    "marathi": "mr", "norwegian": "no", "persian": "fa", "polish": "pl", "portuguese": "pt",
    "romanian": "ro", "russian": "ru", "slovak": "sk", "slovenian": "sl", "somali": "so",
    "southern sotho": "st", "spanish": "es", "swahili": "sw", "swedish": "sv", "tagalog": "tl",
    "thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi",
    "yoruba": "yo", "zulu": "zu",
}  # fmt: skip


def stopword_lists() -> list[str]:
    """The names that `stopwords` knows: our own first, then languages."""
    return [*_LISTS, *_LANGUAGES]


def stopwords(
    name: str = "english", *, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> frozenset[str]:
    """A list of stop words, in lower case.

    - "english": about 180 function words, auxiliaries and negations included.
    - "minimal": articles, conjunctions, prepositions, pronouns and forms of "be". Other verbs
      ("had"), negations ("not", "don't"), amounts and adverbs stay in the text.
    - "search": "minimal" and words of asking: "want", "need", "looking", "find", "please".
    - "german", "french", ..., or "de", "fr": the package stopwordsiso's
      (`pip install 'unitvec[preprocessing]'`). `stopword_lists()` names all.

    Args:
        name: of the list; "en" is "english".
        add: further words.
        remove: words that are no stop words here.

    Raises:
        ValueError: there is no such list.
        TypeError: something that is no str.
        ImportError: another language, and the package is not installed.

    Example:
        >>> "not" in stopwords("english"), "not" in stopwords("english", remove=["not"])
        (True, False)
    """
    require_text("stopwords", name, "name")
    return (_named(name.lower()) | as_stop_words("stopwords", add)) - as_stop_words(
        "stopwords", remove
    )


def as_stop_words(function: str, words: Iterable[str]) -> frozenset[str]:
    """Words as they are looked up: in lower case, apostrophes straight."""
    if isinstance(words, (str, bytes)):
        raise TypeError(f"[{function}] expected an iterable of words, got one str {words!r}")
    words = list(words)
    for word in words:
        require_text(function, word, "every stop word")
    return frozenset(_core.lower_case(word).replace("\u2019", "'") for word in words)


@cache
def _named(name: str) -> frozenset[str]:
    name = "english" if name == "en" else name
    if name in _LISTS:
        return _LISTS[name]
    code = _LANGUAGES.get(name, name)
    if code not in _LANGUAGES.values():
        raise ValueError(f"[stopwords] expected one of {', '.join(stopword_lists())}, got {name!r}")
    package = load_extra("stopwordsiso", "preprocessing", "stopwords")
    return as_stop_words("stopwords", package.stopwords(code))

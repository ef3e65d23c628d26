"""The documentation that Python's standard library carries on this machine, as short texts."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import inspect
import io
import pkgutil
import re
import sys
import textwrap
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

#: Modules that act when imported (open a browser, print a poem, change the prompt), are whole
#: programs or tests, or are copies of others for one encoding or system each.
SKIPPED = {
    *("antigravity", "this", "idlelib", "turtledemo", "lib2to3", "distutils", "test", "tests"),
    *("ensurepip", "rlcompleter", "encodings", "pydoc_data", "idle_test"),
}

#: Packages whose submodules are how they are built: all that is public is in the package itself.
_WHOLE_PACKAGES = {"asyncio", "concurrent.futures"}

#: Characters of a summary; the few first paragraphs that are longer are whole tables.
_SUMMARY_LENGTH = 500

_SIGNATURE = re.compile(r"[\w.]+\(.*\)\s*(->.*|--.*|=.*)?")


class Entry(NamedTuple):
    """A module, class, function or method: qualified name, kind, first paragraph of its docs."""

    name: str
    kind: str
    summary: str

    @property
    def text(self) -> str:
        """What is embedded: the name's words apart, as a reader says them, then the summary."""
        return f"{re.sub(r'[._]+', ' ', self.name).strip()}: {self.summary}"


def read_entries() -> list[Entry]:
    """Every public module, class, function and method with a docstring, each name once."""
    entries: dict[str, Entry] = {}
    seen: set[int] = set()
    # The builtins first: other modules offer some of them again.
    names = ["builtins", *sorted(sys.stdlib_module_names - {"builtins"} - SKIPPED)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated modules say so when imported
        for name in names:
            if not name.startswith("_"):
                for module in _modules(name):
                    for entry in _module_entries(module, seen):
                        entries.setdefault(entry.name, entry)
    return list(entries.values())


def _modules(name: str) -> Iterator[tuple[str, ModuleType]]:
    """A module and its public submodules, as far as they can be imported here."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            module = importlib.import_module(name)
    except (Exception, SystemExit):  # of another system, or of a library that is not installed
        return
    yield name, module
    if name == "os":
        yield from _modules("os.path")
    if name in _WHOLE_PACKAGES:
        return
    for info in pkgutil.iter_modules(getattr(module, "__path__", None) or []):
        if not info.name.startswith("_") and info.name not in SKIPPED:
            yield from _modules(f"{name}.{info.name}")


def _module_entries(named: tuple[str, ModuleType], seen: set[int]) -> Iterator[Entry]:
    name, module = named
    if id(module) not in seen:
        seen.add(id(module))
        yield from _entry(name, "module", module)
    prefix = "" if module is builtins else f"{name}."
    for attribute, value in _public(name, module):
        if id(value) in seen:
            continue
        seen.add(id(value))
        kind = "class" if isinstance(value, type) else "function"
        yield from _entry(prefix + attribute, kind, value)
        if isinstance(value, type):
            yield from _method_entries(prefix + attribute, value)


def _public(name: str, module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Classes and functions that the module offers as its own."""
    listed = getattr(module, "__all__", None)
    for attribute in listed if listed is not None else sorted(vars(module)):
        value = getattr(module, attribute, None)
        if not (isinstance(value, type) or inspect.isroutine(value)):
            continue
        home = str(getattr(value, "__module__", None) or name)
        is_own = home.lstrip("_") == name or home in ("builtins", "posix", "nt")
        if listed is not None or (is_own and not attribute.startswith("_")):
            yield attribute, value


def _method_entries(name: str, cls: type) -> Iterator[Entry]:
    for attribute, value in sorted(vars(cls).items()):
        method = getattr(value, "__func__", value)
        if not attribute.startswith("_") and (
            inspect.isroutine(method) or isinstance(method, property)
        ):
            yield from _entry(f"{name}.{attribute}", "method", method)


def _entry(name: str, kind: str, value: Any) -> Iterator[Entry]:
    """The entry of one object, unless it says nothing."""
    doc = getattr(value, "__doc__", None)
    summary = first_paragraph(doc) if isinstance(doc, str) else ""
    if summary and not summary.startswith("Alias for field number"):  # of every named tuple
        yield Entry(name, kind, summary)


def first_paragraph(doc: str) -> str:
    """A docstring's first paragraph on one line, without signatures before it, at most 500 long."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(doc)):
        lines = [line.strip() for line in paragraph.splitlines()]
        while lines and _SIGNATURE.fullmatch(lines[0]):
            del lines[0]
        text = " ".join(" ".join(lines).split())
        if text:
            return textwrap.shorten(text, _SUMMARY_LENGTH, placeholder=" …")
    return ""

"""Prints the packages that one level needs, a line each, as pyproject.toml states them.

demo, test, dev: as in setup.sh. wheel: what building a wheel needs. docs: what reads the sources.
"""

import pathlib
import re
import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXTRAS: dict[str, list[str]] = {
    "demo": ["minilm"],
    "test": ["minilm", "test"],
    "dev": ["minilm", "dev"],
    "docs": ["docs"],
    "wheel": ["wheel"],
}


def expand(name: str, extras: dict[str, list[str]]) -> list[str]:
    """The packages of an extra; `unitvec[other]` in it stands for the packages of `other`."""
    packages: list[str] = []
    for requirement in extras[name]:
        own = re.fullmatch(r"unitvec\[(\w+)\]", requirement)
        packages += expand(own[1], extras) if own else [requirement]
    return packages


def requirements(level: str) -> list[str]:
    """The level's extras and, unless only sources are read, what unitvec needs; sorted."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    unitvec = pyproject["build-system"]["requires"] + project["dependencies"]
    packages = [] if level == "docs" else unitvec
    for extra in EXTRAS[level]:
        packages += expand(extra, project["optional-dependencies"])
    return sorted(set(packages))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in EXTRAS:
        sys.exit(f"usage: requirements.py {'|'.join(EXTRAS)}")
    print("\n".join(requirements(sys.argv[1])))

"""Prints the packages that a level of setup.sh needs, one a line, as pyproject.toml states them."""

import pathlib
import re
import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXTRAS = {
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
    """Sorted and unique: build requirements, run-time dependencies and the level's extras."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    packages = pyproject["build-system"]["requires"] + project["dependencies"]
    for extra in EXTRAS[level]:
        packages += expand(extra, project["optional-dependencies"])
    return sorted(set(packages))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in EXTRAS:
        sys.exit(f"usage: requirements.py {'|'.join(EXTRAS)}")
    print("\n".join(requirements(sys.argv[1])))

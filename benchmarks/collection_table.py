"""The tables of `collection`: what each store answers, and what it takes to make and change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.cells import digits_for, header, row, spread
from benchmarks.collection_peers import SYSTEMS
from benchmarks.measure import summary
from benchmarks.systems import absent_lines

Measured = Mapping[str, Any]

FINDING = ("one query", "50 %", "10 %", "1 %", "0.1 %")


def table(result: Measured) -> str:
    """The answer as two Markdown tables: finding, and storing."""
    systems = {name: result["systems"][name] for name in SYSTEMS if name in result["systems"]}
    deleted = f"{round(result['documents'] * result['deleted_share']):,} deletes, s"
    storing = (
        "documents/s, index ready",
        "documents/s, acknowledged",
        "one-row upsert, p50 ms",
        deleted,
        "bytes a document on disk",
        "peak memory ingesting, MB",
        "answering, MB (of it pages of files)",
        "syncs an upsert waits for",
    )
    lines = [
        *header("p50 ms, recall@10", *FINDING, "reopen to first answer, s", "import, s"),
        *(_finding(name, system) for name, system in systems.items()),
        "",
        *header("store", *storing),
        *(_storing(name, system, result) for name, system in systems.items()),
        "",
        *_notes(systems, result),
        *absent_lines(result["left_out"]),
    ]
    return "\n".join(lines)


def _finding(name: str, system: Measured) -> str:
    cells = [_searched(kind, system) for kind in system["rounds"][0]["search"]]
    return row(
        name,
        *cells,
        _over(system, lambda r: r["reopen_seconds"]),
        _over(system, lambda r: r["import_seconds"]),
    )


def _searched(kind: str, system: Measured) -> str:
    """Milliseconds and recall; and where rows were missing, the worst query's."""
    rounds = [each["search"][kind] for each in system["rounds"]]
    recall = sum(each["recall"] for each in rounds) / len(rounds)
    worst = min(
        (each["fewest"] for each in rounds), key=lambda rows: rows["returned"] - rows["exist"]
    )
    cell = f"{_over(system, lambda r: 1e3 * r['search'][kind]['p50'])}, {recall:.3f}"
    if worst["returned"] == worst["exist"]:
        return cell
    return f"{cell}, as few as {worst['returned']} of {worst['exist']} rows"


def _storing(name: str, system: Measured, result: Measured) -> str:
    count = system["documents"]
    deletes = _over(system, lambda r: r["delete_seconds"])
    if count < result["documents"]:
        deletes = f"{deletes} for {system['rounds'][0]['deleted']:,}"
    syncs = system["syncs_per_upsert"]
    return row(
        f"{name}, {count:,} documents" if count < result["documents"] else name,
        _over(system, lambda r: count / r["ready_seconds"]),
        _over(system, lambda r: count / r["acknowledged_seconds"]),
        _over(system, lambda r: 1e3 * r["upsert_seconds"]),
        deletes,
        f"{summary([r['disk_bytes'] / count for r in system['rounds']])['median']:,.0f}",
        _megabytes(system, "ingest_bytes"),
        f"{_megabytes(system, 'answer_bytes')} ({_megabytes(system, 'answer_mapped_bytes')})",
        "not known" if syncs is None else f"{syncs:.3g}" if syncs else "none",
    )


def _megabytes(system: Measured, what: str) -> str:
    return f"{summary([each[what] / 1e6 for each in system['rounds']])['median']:,.0f}"


def _over(system: Measured, figure: Callable[[Measured], float]) -> str:
    """A figure of each round as median (least - largest)."""
    value = summary([figure(each) for each in system["rounds"]])
    return spread(value, digits_for(value["median"]))


def _notes(systems: Mapping[str, Measured], result: Measured) -> list[str]:
    rounds = len(next(iter(systems.values()))["rounds"])
    lines = [
        f"{result['documents']:,} documents of 200 characters, three fields and a vector of "
        f"{result['dim']} numbers; medians of {rounds} rounds, each with fresh stores and "
        "processes (least - largest). Recall: of the neighbours that exact search finds among "
        "what the filter allows. On the disk of the stores a write of 4 KB and its sync take "
        f"{1e3 * result['disk_sync_seconds']:.2g} ms."
    ]
    lost = {
        name: min(each["upserts_found"] for each in system["rounds"])
        for name, system in systems.items()
    }
    if missing := [f"{name} {share:.0%}" for name, share in lost.items() if share < 1]:
        lines.append(f"Upserted rows that a search for their vector finds: {', '.join(missing)}.")
    return lines

"""The tables of `encode-latency-profile`: steps, and what they come to beside the machine's limits.

Floating-point operations: a linear layer takes 2 * in * out a token, attention 4 * length * dim a
token and layer (scores, and the weighted sum).
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.cells import header, row
from benchmarks.peers import precision
from benchmarks.systems import absent_lines

STEPS = {
    "tokenise": "tokenise",
    "embeddings": "embeddings",
    "qkv": "queries, keys, values",
    "attention": "attention",
    "attention_output": "attention's output layer",
    "layer_norms": "layer norms",
    "intermediate": "first feed-forward layer, activation",
    "dense": "second feed-forward layer",
    "pooling": "pooling, length 1",
}
REST = "Python, checks, waiting"
LINEAR = ("qkv", "attention_output", "intermediate", "dense")
BYTES = {"fp32": 4, "bf16": 2, "int8": 1}  # of a weight

Profile = Mapping[str, Any]


def table(result: dict[str, Any]) -> str:
    """The answer as three Markdown tables."""
    threads, profiles = result["threads"], result["profiles"]
    texts = len(next(iter(profiles.values()))[0]["long"]["lengths"])
    lines = [
        *_steps("one query, µs", profiles, "query", 1),
        "",
        # Each thread works through batches of its own, so that their times add up.
        *_steps(f"{texts} long texts in one call, µs a text", profiles, "long", threads),
        "",
        *_limits(result),
        "",
        _machine(result),
        *absent_lines(result["left_out"]),
    ]
    return "\n".join(lines)


def seconds_of_steps(profile: Profile, threads: int) -> dict[str, float]:
    """Seconds of each step as they would pass on a clock, and the rest of the call.

    Args:
        profile: one call.
        threads: how many of them add up in the core's steps.
    """
    core = {name: value / threads for name, value in profile["steps"].items() if name != "tokenise"}
    steps = {"tokenise": profile["steps"]["tokenise"], **core}
    return {**steps, REST: profile["seconds"] - sum(steps.values())}


def linear_flops(model: Mapping[str, int]) -> int:
    """Of one token in all linear layers."""
    dim, intermediate = model["dim"], model["intermediate"]
    return 2 * model["layers"] * (4 * dim * dim + 2 * dim * intermediate)


def attention_flops(model: Mapping[str, int], lengths: Iterable[int]) -> int:
    """Of all tokens of texts of these lengths."""
    return 4 * model["layers"] * model["dim"] * sum(length * length for length in lengths)


def attainable(gigaflops: Mapping[str, Mapping[str, float]]) -> float:
    """GFLOP/s of a layer's four products together, each by the library that is fastest at it."""
    work = {shape: _product(shape) for shape in gigaflops}
    seconds = sum(work[shape] / max(speeds.values()) for shape, speeds in gigaflops.items())
    return sum(work.values()) / seconds


def _product(shape: str) -> int:
    inner, outer = shape.split(" x ")
    return int(inner) * int(outer)


def _steps(title: str, profiles: Mapping[str, list[Profile]], work: str, threads: int) -> list[str]:
    columns = {
        name: [seconds_of_steps(each[work], threads) for each in repeats]
        for name, repeats in profiles.items()
    }
    texts = {name: len(repeats[0][work]["lengths"]) for name, repeats in profiles.items()}
    lines = header(title, *(cell for name in columns for cell in (name, "share")))
    for step, shown in {**STEPS, REST: REST}.items():
        cells = [shown]
        for name, repeats in columns.items():
            share = statistics.median(each[step] / sum(each.values()) for each in repeats)
            seconds = statistics.median(each[step] for each in repeats)
            cells += [f"{1e6 * seconds / texts[name]:,.0f}", f"{share:.1%}"]
        lines.append(row(*cells))
    cells = ["all"]
    for name, repeats in columns.items():
        seconds = statistics.median(sum(each.values()) for each in repeats)
        cells += [f"{1e6 * seconds / texts[name]:,.0f}", ""]
    return [*lines, row(*cells)]


@dataclass(frozen=True)
class Measured:
    """One repeat of a system, and what the machine could do right before."""

    name: str
    profile: Profile
    machine: Profile
    model: Mapping[str, int]
    threads: int

    @property
    def weight_bytes(self) -> float:
        """Of all linear layers, without scales and biases."""
        return linear_flops(self.model) / 2 * BYTES[precision(self.name)]

    @property
    def reading(self) -> float:
        """GB/s at which one query reads the weights of the linear layers, while in these."""
        return self.weight_bytes / self._in_linear_layers("query", 1) / 1e9

    @property
    def reading_share(self) -> float:
        return self.reading / float(self.machine["gigabytes_per_second"]["read"])

    @property
    def linear_speed(self) -> float:
        """GFLOP/s of the linear layers, while in these, on long texts."""
        tokens = sum(self.profile["long"]["lengths"])
        work = linear_flops(self.model) * tokens
        return work / self._in_linear_layers("long", self.threads) / 1e9

    @property
    def call_speed(self) -> float:
        """GFLOP/s of the whole call on long texts, attention's operations counted in."""
        lengths = self.profile["long"]["lengths"]
        work = linear_flops(self.model) * sum(lengths) + attention_flops(self.model, lengths)
        return work / float(self.profile["long"]["seconds"]) / 1e9

    @property
    def linear_share(self) -> float | None:
        return self._share(self.linear_speed)

    @property
    def call_share(self) -> float | None:
        return self._share(self.call_speed)

    def _share(self, gigaflops: float) -> float | None:
        """Of what NumPy and torch attain, which is in fp32."""
        if precision(self.name) != "fp32":
            return None
        return gigaflops / attainable(self.machine["gigaflops"])

    def _in_linear_layers(self, work: str, threads: int) -> float:
        steps = seconds_of_steps(self.profile[work], threads)
        return sum(steps[step] for step in LINEAR)


LIMITS: tuple[tuple[str, Callable[[Measured], float | None], str], ...] = (
    ("weights of the linear layers, MB", lambda own: own.weight_bytes / 1e6, ".1f"),
    ("one query: weights read in the linear layers, GB/s", lambda own: own.reading, ".1f"),
    ("share of the memory's bandwidth", lambda own: own.reading_share, ".0%"),
    ("long texts: GFLOP/s in the linear layers", lambda own: own.linear_speed, ",.0f"),
    ("share of attainable GEMM speed", lambda own: own.linear_share, ".0%"),
    ("long texts: GFLOP/s of the whole call", lambda own: own.call_speed, ",.0f"),
    ("share of attainable GEMM speed", lambda own: own.call_share, ".0%"),
)


def _limits(result: dict[str, Any]) -> list[str]:
    """What the times come to, a column per system."""
    columns = [
        [
            Measured(name, profile, machine, result["model"], result["threads"])
            for profile, machine in zip(repeats, result["machine"], strict=True)
        ]
        for name, repeats in result["profiles"].items()
    ]
    lines = header("beside the machine", *result["profiles"])
    for title, figure, form in LIMITS:
        cells = []
        for repeats in columns:
            values = [value for value in map(figure, repeats) if value is not None]
            cells.append(format(statistics.median(values), form) if values else "-")
        lines.append(row(title, *cells))
    return lines


def _machine(result: dict[str, Any]) -> str:
    """A line with the machine's limits."""
    machine = result["machine"]
    read, copy = (
        statistics.median(each["gigabytes_per_second"][kind] for each in machine)
        for kind in ("read", "copy")
    )
    speed = statistics.median(attainable(each["gigaflops"]) for each in machine)
    model = result["model"]
    return (
        f"Memory: {read:.1f} GB/s read, {copy:.1f} GB/s read and written (NumPy's sum and copy). "
        f"Attainable in fp32: {speed:,.0f} GFLOP/s, the faster of NumPy and torch in each of the "
        f"layers' products. A token takes {linear_flops(model) / 1e6:.1f} MFLOP in the linear "
        f"layers. Medians of {len(machine)} repeats; weights that stay in the caches are read "
        "faster than from memory."
    )

"""Systems for tests of the benchmarks: no packages, no processes, a vector that counts letters."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from benchmarks import encode, encode_quality, environment, peers, systems
from benchmarks.environment import Environment
from benchmarks.peers import BASELINE, Peer
from benchmarks.process import PeerError
from benchmarks.settings import Settings
from benchmarks.worker import Worker
from benchmarks.workloads import Retrieval

HERE = Environment("here", ("numpy",))

PEERS = (
    Peer(BASELINE, "characters", HERE),
    Peer("onnxruntime fp32", "characters", HERE),
    Peer("unitvec fp32", "characters", HERE),
    Peer("other bf16", "characters", HERE, {"fails": True}),
    Peer("unitvec bf16", "characters", HERE, {"longest": 100}),
    Peer("absent fp32", "characters", Environment("none", ("no_such_package",))),
)


class Characters:
    """Stands in for a peer's module: a text's vector counts its letters a to d, and 1."""

    @staticmethod
    def load(model, threads, fails=False, longest=10**6, max_seq_length=None):
        if fails:
            raise ValueError("expected a processor with bf16")

        def encode(texts):
            if max(map(len, texts)) > longest:
                raise ValueError("expected shorter texts")
            return np.array([[1, *map(t.count, "abcd")] for t in texts], np.float32)

        return encode

    @staticmethod
    def versions():
        return {"characters": "1"}


class Process:
    """A PeerProcess without a process."""

    def __init__(self, peer, threads):
        environment.interpreter(peer.environment)
        self.peer, self.threads, self._worker = peer, threads, Worker(peer.module)

    def load(self, model, **options):
        options = {**self.peer.options, **options}
        return self.ask(do="load", model="m", threads=self.threads, options=options)

    def ask(self, **request):
        try:
            return self._worker.answer(request)
        except ValueError as error:
            raise PeerError(f"[{self.peer.name}] {error}\nmore") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def install(monkeypatch):
    """Puts these systems, and a few texts, in place of the real ones."""
    monkeypatch.setitem(sys.modules, "benchmarks.peers.characters", Characters)
    named = {peer.name: peer for peer in PEERS}
    monkeypatch.setattr(systems, "PEERS", named)
    monkeypatch.setattr(encode, "PEERS", named)
    assert set(peers.OURS) & set(named) == {"unitvec fp32", "unitvec bf16"}
    monkeypatch.setattr(systems, "PeerProcess", Process)
    monkeypatch.setattr(Settings, "model_directory", lambda self: Path("m"))
    texts = {"mixed": ["a", "abc", "dd"], "short": ["b"] * 4}
    sts = (["a", "b", "cc"], ["ab", "d", "c"], np.array([3.0, 1.0, 5.0]))
    retrieval = Retrieval(["a", "b", "c" * 20], ["aa", "cc"], [{0: 1.0}, {2: 1.0}])
    monkeypatch.setattr(encode, "workloads", lambda scale: texts)
    for question in (encode, encode_quality):
        monkeypatch.setattr(question, "sts_pairs", lambda scale: sts)
    monkeypatch.setattr(encode_quality, "scifact_retrieval", lambda scale: retrieval)
    return texts

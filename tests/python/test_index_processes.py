"""The index among threads, under ctrl-C and in a forked child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from random_vectors import random_vectors
from unitvec.index import Index


def test_many_threads_search_while_one_adds():
    x = random_vectors(3000, 16, seed=1)
    index = Index(16)
    index.add(x[:500])
    stop, errors = threading.Event(), []

    def search():
        try:
            while not stop.is_set():
                found = index.search(x[:50], 1, threads=1)
                if (found.ids[:, 0] == np.arange(50)).mean() < 0.9 or len(index) % 500:
                    errors.append(found)
                index.stats()
        except Exception as error:
            errors.append(error)

    searchers = [threading.Thread(target=search) for _ in range(4)]
    for thread in searchers:
        thread.start()
    for first in range(500, 3000, 500):
        index.add(x[first : first + 500])
    stop.set()
    for thread in searchers:
        thread.join()
    assert errors == []
    assert len(index) == 3000


CTRL_C = """
import signal, sys, numpy as np
from unitvec.index import Index
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with it ignored
x = np.random.default_rng(0).standard_normal((60_000, 128)).astype(np.float32)
index = Index(128, kind=sys.argv[1])
index.add(x[:1000])
print("ready", flush=True)
try:
    if sys.argv[1] == "hnsw":
        index.add(x, ids=np.arange(5000, 65_000))
    else:
        index.add(x[1000:])
        print("ready", flush=True)
        while True:
            index.search(x, 10)
except KeyboardInterrupt:
    print("stopped", len(index), len(index.search(x[:5], 3).ids), flush=True)
"""


@pytest.mark.parametrize(("kind", "left"), [("hnsw", 1000), ("flat", 60_000)])
def test_ctrl_c_stops_add_and_search_and_leaves_a_sound_index(kind, left):
    child = subprocess.Popen(
        [sys.executable, "-c", CTRL_C, kind], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    try:
        for _ in range(1 if kind == "hnsw" else 2):
            assert child.stdout.readline() == "ready\n"
        time.sleep(0.5)  # into the middle of the work, which takes many times as long
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=60)[0] == f"stopped {left} 5\n"
        assert child.returncode == 0
    finally:
        child.kill()  # a child that did not stop would go on for ever
        child.wait()
        child.stdout.close()


FORKED = """
import os, numpy as np
from unitvec.index import Index
x = np.random.default_rng(0).standard_normal((3000, 32)).astype(np.float32)
index = Index(32)
index.add(x, threads=2)
index.search(x, 3, threads=2)
index.search(x, 3, exact=True, threads=2)
pid = os.fork()
ids = index.add(x, threads=2)
same = (index.search(x[:100], 1, exact=True, threads=2).ids[:, 0] == np.arange(100)).all()
assert same and len(index) == 6000 and len(index.search(x, 3, threads=2).ids) == 3000
if pid == 0:
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_adds_and_searches():
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=120)

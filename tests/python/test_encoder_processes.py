"""An encoder among threads, in forked children, under Ctrl-C, and in little memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import unitvec as uv
from random_models import make_model, save

pytest.importorskip("transformers")

TEXTS = ["the cat sat", "a", "", "dogs " * 40, "cats sat a dog the " * 30, "the dog sat " * 9] * 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(make_model("bert"), tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_sixteen_threads_get_the_bits_of_one(dtype, folder):
    encoder = uv.Encoder(folder, pooling="mean", dtype=dtype)
    expected = uv.Encoder(folder, pooling="mean", dtype=dtype, threads=1).encode(TEXTS)
    start = threading.Barrier(16)
    wrong: list[object] = []

    def work(number: int) -> None:
        try:
            start.wait()
            for turn in range(6):
                first = (number * 7 + turn) % len(TEXTS)
                if not np.array_equal(encoder.encode(TEXTS[first:]), expected[first:]):
                    wrong.append((number, turn))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_encoders_of_several_threads_each_work_at_once(folder):
    expected = uv.Encoder(folder, pooling="mean", threads=1).encode(TEXTS)
    encoders = [uv.Encoder(folder, pooling="mean", threads=threads) for threads in (1, 2, 3, 4)]
    start = threading.Barrier(len(encoders))
    wrong: list[object] = []

    def work(encoder: uv.Encoder) -> None:
        try:
            start.wait()
            for turn in range(20):
                one = turn % len(TEXTS)
                if not np.array_equal(encoder.encode(TEXTS[one]), expected[one]):
                    wrong.append((encoder, turn))
            if not np.array_equal(encoder.encode(TEXTS), expected):
                wrong.append(encoder)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(encoder,)) for encoder in encoders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_idle_encoder_uses_no_processor_time(folder):
    encoder = uv.Encoder(folder, pooling="mean", threads=4)
    encoder.encode("the cat sat " * 100)
    time.sleep(0.3)  # past any spinning, and that of OpenMP in other tests
    before = time.process_time()
    time.sleep(1)
    assert time.process_time() - before < 0.2


# Each child answers in one text alone, which threads share, and in many, a batch for each thread.
FORKED = """
import multiprocessing, os, sys, warnings
import numpy as np
import unitvec as uv
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads
encoder = uv.Encoder(sys.argv[1], pooling="mean", dtype=sys.argv[2], threads=4)
texts = ["the cat sat " * 100, *(f"a dog sat {i}" * 40 for i in range(60))]
one, many = encoder.encode(texts[0]), encoder.encode(texts)
layers, pooled = encoder.hidden_states(texts[0]), encoder.pooler_output(texts[:2])
for _ in range(int(sys.argv[3])):
    child = os.fork()
    if child == 0:
        tasks = "/proc/self/task"  # one only, until the child's own first loop
        alone = len(os.listdir(tasks)) if os.path.exists(tasks) else 1
        same = (
            alone == 1
            and np.array_equal(encoder.encode(texts[0]), one)
            and (not os.path.exists(tasks) or len(os.listdir(tasks)) > 1)
            and np.array_equal(encoder.encode(texts), many)
            and np.array_equal(encoder.hidden_states(texts[0])[-1], layers[-1])
            and np.array_equal(encoder.pooler_output(texts[:2]), pooled)
        )
        os._exit(0 if same else 3)
    assert os.waitpid(child, 0)[1] == 0
def in_child(text):
    return encoder.encode(text)
with multiprocessing.get_context("fork").Pool(3) as pool:
    assert np.array_equal(pool.map(in_child, texts, chunksize=7), many)
print("all right")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_child_forked_after_use_gives_the_same_answers(dtype, folder):
    turns = str(max(5, int(os.environ.get("UNITVEC_EXAMPLES", "0")) // 200))
    done = subprocess.run(
        [sys.executable, "-c", FORKED, str(folder), dtype, turns],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stdout == "all right\n", done.stderr


# Threads of the parent are within loops at every fork.
FORKED_MEANWHILE = """
import os, signal, sys, threading, warnings
import numpy as np
import unitvec as uv
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads
encoder = uv.Encoder(sys.argv[1], pooling="mean", threads=3)
text = "the cat sat " * 100
expected = encoder.encode(text)
stop, wrong = threading.Event(), []
def work():
    while not stop.is_set():
        if not np.array_equal(encoder.encode(text), expected):
            wrong.append(1)
workers = [threading.Thread(target=work) for _ in range(2)]
for worker in workers:
    worker.start()
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # ends a child that hangs
        os._exit(0 if np.array_equal(encoder.encode(text), expected) else 3)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for worker in workers:
    worker.join()
assert not wrong
print("all right")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_children_forked_while_other_threads_encode(folder):
    turns = str(max(50, int(os.environ.get("UNITVEC_EXAMPLES", "0")) // 200))
    done = subprocess.run(
        [sys.executable, "-c", FORKED_MEANWHILE, str(folder), turns],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stdout == "all right\n", done.stderr


def encode_in_child(folder, texts, queue) -> None:
    queue.put(uv.Encoder(folder, pooling="mean").encode(texts))


@pytest.mark.parametrize("last", ["", "os._exit(0)"])
def test_a_process_ends_while_the_encoders_threads_sleep(last, folder):
    program = f"""
import os, sys
import unitvec as uv
encoder = uv.Encoder(sys.argv[1], pooling="mean", threads=4)
encoder.encode("the cat sat " * 100)
{last}
"""
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_ways_to_start_a_process(method, folder):
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=encode_in_child, args=(folder, TEXTS, queue))
    child.start()
    vectors = queue.get(timeout=120)
    child.join(timeout=60)
    assert_array_equal(vectors, uv.Encoder(folder, pooling="mean").encode(TEXTS))


# Says when it begins, so that the signal comes while it works; the work would last for minutes.
INTERRUPTED = """
import signal, sys, time
import unitvec as uv
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever this process was started with
encoder = uv.Encoder(sys.argv[1], pooling="mean")
text = "the cat sat on a dog " * 100
def many():
    print("begun", flush=True)
    while True:
        yield text
def listed():
    print("begun", flush=True)
    encoder.encode([text] * 500_000, on_overflow="truncate")
cut = {"on_overflow": "truncate"}
work = {
    "generator": lambda: encoder.encode(many(), **cut),
    "list": listed,
    "chunk": lambda: encoder.encode(many(), on_overflow="chunk"),
    "tokens": lambda: encoder.encode(many(), output_value="token_embeddings", **cut),
    "file": lambda: encoder.encode_to(sys.argv[3], many(), **cut),
    "layers": lambda: encoder.hidden_states(many()),
    "pooler": lambda: encoder.pooler_output(many()),
}[sys.argv[2]]
try:
    work()
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.parametrize(
    "work", ["generator", "list", "chunk", "tokens", "file", "layers", "pooler"]
)
def test_ctrl_c_stops_the_work(work, folder, tmp_path):
    command = [sys.executable, "-c", INTERRUPTED, str(folder), work, str(tmp_path / "x.npy")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        time.sleep(0.3)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        try:
            assert child.stdout.readline() == "stopped\n"
            print(f"{work}: stopped after {time.monotonic() - sent:.2f} s")  # a second is promised
        finally:
            child.kill()
    if work == "file":
        rows = np.load(tmp_path / "x.npy")
        assert_array_equal(rows, np.repeat(rows[:1], len(rows), axis=0))


MEMORY = """
import sys
import numpy as np
import unitvec as uv
def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) << 10
encoder = uv.Encoder(sys.argv[1], pooling="mean")
count = int(sys.argv[2])
texts = lambda: (f"the cat sat {i}" for i in range(count))
encoder.encode(["the cat sat"] * 5000)
before = peak()
assert encoder.encode_to(sys.argv[3], texts()) == count
in_file = peak()
bits = encoder.encode(texts(), precision="ubinary")
in_bits = peak()
vectors = encoder.encode(texts())
assert vectors.shape == (count, 48) and bits.shape == (count, 6)
print(in_file - before, in_bits - before, peak() - before - vectors.nbytes)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_a_long_job_needs_no_memory_but_for_its_result(folder, tmp_path):
    count = max(50_000, 5 * int(os.environ.get("UNITVEC_EXAMPLES", "0")))
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(folder), str(count), str(tmp_path / "x.npy")],
        capture_output=True,
        text=True,
        timeout=3000,
    )
    assert done.returncode == 0, done.stderr
    print(f"{count} texts: {done.stdout}")  # a file, bits, vectors: bytes beside the result
    for extra in done.stdout.split():
        assert int(extra) < 60e6, done.stdout

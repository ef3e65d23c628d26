"""What "auto" means on a processor, and what an encoder says of its arithmetic."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import unitvec as uv
from random_models import make_model, save
from unitvec import _core
from unitvec.dtypes import auto_dtype, core_dtype

pytest.importorskip("torch")
pytest.importorskip("transformers")

NATIVE = {"float32": "native", "bfloat16": "native", "int8": "VNNI"}
WIDENED = {"float32": "native", "bfloat16": "widened to float32", "int8": "VNNI"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(make_model("bert"), tmp_path_factory.mktemp("bert"))


@pytest.mark.parametrize(("products", "chosen"), [(NATIVE, "bfloat16"), (WIDENED, "float32")])
def test_auto_is_bfloat16_only_where_it_is_multiplied_as_such(
    products, chosen, folder, monkeypatch
):
    monkeypatch.setattr(_core, "products", lambda: products)
    assert (auto_dtype(), core_dtype("auto")) == (chosen, chosen)
    encoder = uv.Encoder(folder, pooling="mean", dtype="auto")
    assert encoder.dtype == chosen
    facts = encoder.info()
    assert (facts["dtype"], facts["auto_dtype"], facts["products"]) == (chosen, chosen, products)
    named = uv.Encoder(folder, pooling="mean", dtype=chosen)
    assert encoder.fingerprint == named.fingerprint


def test_the_default_stays_float32(folder, monkeypatch):
    monkeypatch.setattr(_core, "products", lambda: NATIVE)
    assert uv.Encoder(folder, pooling="mean").dtype == "float32"


SAYS = """
import json
from unitvec import _core
print(json.dumps([_core.active_isa(), _core.products()]))
"""


@pytest.mark.parametrize("isa", _core.available_isas())
def test_each_instruction_set_says_how_it_multiplies(isa):
    answer = subprocess.run(
        [sys.executable, "-c", SAYS],
        env={**os.environ, "UNITVEC_ISA": isa},
        check=True,
        capture_output=True,
        text=True,
    )
    active, products = json.loads(answer.stdout)
    int8 = {"portable": "portable", "avx2": "AVX2", "avx512": "AVX-512"}
    assert active == isa
    assert products == {
        "float32": "native",
        "bfloat16": "native" if isa == "avx512_bf16" else "widened to float32",
        "int8": int8.get(isa, "VNNI"),
    }


def test_an_instruction_set_that_is_not_here_is_refused():
    answer = subprocess.run(
        [sys.executable, "-c", SAYS],
        env={**os.environ, "UNITVEC_ISA": "avx1024"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "[UNITVEC_ISA] expected one of portable" in answer.stderr
    assert "got avx1024" in answer.stderr

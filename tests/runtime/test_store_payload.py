"""Payloads: arrays come back as they were, in bytes that safetensors itself reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gendsl_runtime.store.payload import DTYPES, pack, unpack

arrays = st.sampled_from(sorted(DTYPES.values())).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
)
names = st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__" and name.isprintable())


@given(st.dictionaries(names, arrays, max_size=5), st.dictionaries(names, names, max_size=3))
def test_what_is_packed_comes_back(tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    content = pack(tensors, metadata)
    back, texts = unpack(content)
    assert texts == metadata
    assert set(back) == set(tensors)
    for name, array in tensors.items():
        assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
        assert back[name].tobytes() == array.tobytes()
        assert back[name].flags.writeable
    assert pack(dict(reversed(tensors.items())), dict(reversed(metadata.items()))) == content


@given(st.dictionaries(names, arrays, max_size=5), st.dictionaries(names, names, max_size=3))
def test_safetensors_reads_it(tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    read = safetensors.numpy.load(pack(tensors, metadata))
    assert set(read) == set(tensors)
    for name, array in tensors.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        assert read[name].tobytes() == array.tobytes()


def test_what_safetensors_writes_is_read() -> None:
    tensors = {"b": np.arange(6, dtype=np.int64).reshape(2, 3), "a": np.ones(3, dtype=np.float32)}
    back, texts = unpack(safetensors.numpy.save(tensors, {"status": "budget"}))
    assert texts == {"status": "budget"}
    assert all(np.array_equal(back[name], array) for name, array in tensors.items())


def test_views_and_foreign_byte_orders_are_stored_by_value() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert pack({"x": array.T}, {}) == pack({"x": array.T.copy()}, {})
    assert pack({"x": array.astype(">f4")}, {}) == pack({"x": array}, {})


@pytest.mark.parametrize("array", [np.array([["text"]]), np.array([object()]), np.array([1j])])
def test_only_numbers_and_flags_are_stored(array: np.ndarray) -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        pack({"x": array}, {})


def test_the_bytes_are_the_same_in_every_process() -> None:
    program = (
        "import hashlib, numpy as np; from gendsl_runtime.store.payload import pack;"
        "content = pack({c: np.arange(3.0) for c in 'qwerty'}, {c: c for c in 'asdfgh'});"
        "print(hashlib.sha256(content).hexdigest())"
    )
    runtime = Path(__file__).parents[2] / "runtime"
    hashes = set()
    for seed in "01":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(runtime)}
        command = [sys.executable, "-c", program]
        hashes.add(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert len(hashes) == 1

"""Named arrays as bytes, in the safetensors format: equal contents give equal bytes.

The safetensors library writes its metadata in the order of a hash map, which differs from process to process;
this writer sorts everything. https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
CODES = {np.dtype(dtype): code for code, dtype in DTYPES.items()}
METADATA = "__metadata__"
LABELS = "labels of "
"""Before the name of an array of texts, which stands in the metadata: the format has numbers alone."""


def pack(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """The bytes of named arrays and texts.

    Raises TypeError for arrays that are neither numbers nor flags nor one row of texts.
    """
    words = {name: array for name, array in tensors.items() if array.dtype.kind == "U" and array.ndim == 1}
    tensors = {name: array for name, array in tensors.items() if name not in words}
    metadata = {**metadata, **{LABELS + name: json.dumps(array.tolist()) for name, array in words.items()}}
    header: dict[str, object] = {METADATA: dict(sorted(metadata.items()))} if metadata else {}
    pieces: list[bytes] = []
    start = 0
    # Wide numbers first: everything is then aligned to its own size.
    for name in sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name)):
        array = tensors[name]
        little = array.dtype.newbyteorder("<")
        if little not in CODES:
            raise TypeError(f"`{name}` holds {array.dtype}, which cannot be stored")
        raw = np.ascontiguousarray(array, dtype=little).tobytes()
        offsets = [start, start + len(raw)]
        header[name] = {"dtype": CODES[little], "shape": list(array.shape), "data_offsets": offsets}
        pieces.append(raw)
        start = offsets[1]
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *pieces])


def unpack(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays, which may be written to, and the texts that `pack` made the bytes of."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    metadata: dict[str, str] = header.pop(METADATA, {})
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        dtype = np.dtype(DTYPES[entry["dtype"]])
        flat = np.frombuffer(
            content, dtype=dtype, count=(end - start) // dtype.itemsize, offset=8 + length + start
        )
        tensors[name] = flat.reshape(entry["shape"]).copy()
    for key in [key for key in metadata if key.startswith(LABELS)]:
        tensors[key.removeprefix(LABELS)] = np.array(json.loads(metadata.pop(key)), dtype=np.str_)
    return tensors, metadata

#!/usr/bin/env python3
"""Tests docs/convert_weights.py without PyTorch: which weights it finds in what was saved, and the bytes that it writes.

    convert_weights_bites.py SCRIPT
"""
import importlib.util
import json
import pathlib
import struct
import sys
import tempfile
import types

spec = importlib.util.spec_from_file_location("convert_weights", sys.argv[1])
convert = importlib.util.module_from_spec(spec)
spec.loader.exec_module(convert)


class Tensor(types.SimpleNamespace):
    def numel(self):
        return len(self.data) // self.size

    def element_size(self):
        return self.size


def tensor(dtype, size, shape, data):
    return Tensor(dtype="torch." + dtype, size=size, shape=shape, data=data)


def refusal(call):
    try:
        call()
    except SystemExit as error:
        return str(error)
    return ""


half = tensor("float16", 2, (3,), b"\1\2\3\4\5\6")
single = tensor("float32", 4, (1, 2), b"abcdefgh")
nested = {"step": 3, "state_dict": {"model.a": half, "ema_model.a": single}, "optimizer": {"state": {0: {"exp_avg": half}}}}

# Found at any depth, with the preferred one chosen, or the one that is named.
sets = convert.weight_sets(nested)
assert set(sets) == {"state_dict", "optimizer.state.0"}, sets
assert convert.chosen_set(sets) == "state_dict"
assert convert.chosen_set(sets, "optimizer.state.0") == "optimizer.state.0"
assert convert.chosen_set(convert.weight_sets({"a": half})) == ""
assert convert.chosen_set(convert.weight_sets({"model": {"a": half}, "ema": {"a": half}})) == "ema"
assert "'g', 'd'; say which one with --key" in refusal(lambda: convert.chosen_set({"g": {}, "d": {}}))
assert "no weights under 'x'; there are: 'g'" in refusal(lambda: convert.chosen_set({"g": {}}, "x"))
assert "got: none" in refusal(lambda: convert.chosen_set(convert.weight_sets([half])))
assert convert.without_prefix(nested["state_dict"], "ema_model.") == {"a": single}
assert "no name begins with 'x.'; the first is 'model.a'" in refusal(
    lambda: convert.without_prefix(nested["state_dict"], "x."))
assert "'q' is quint8" in refusal(lambda: convert.dtype_of("q", tensor("quint8", 1, (1,), b"a")))

# Header and data, the widest dtype first.
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "weights"
    convert.write_safetensors(str(path), {"h": half, "s": single}, lambda one: one.data)
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    assert size % 8 == 0
    assert json.loads(content[8:8 + size]) == {
        "__metadata__": {"format": "pt"},
        "s": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
        "h": {"dtype": "F16", "shape": [3], "data_offsets": [8, 14]}}
    assert content[8 + size:] == single.data + half.data
    assert [p.name for p in path.parent.iterdir()] == ["weights"]
print("convert_weights: all as expected")

#!/usr/bin/env python3
"""Turns weights that PyTorch has saved (.pt, .pth, .ckpt, .bin) into safetensors, which diffsiam reads.

    python3 docs/convert_weights.py model.pt                              lists the weights that are in the file
    python3 docs/convert_weights.py model.pt model.safetensors            converts them
    python3 docs/convert_weights.py last.ckpt ema.safetensors --key state_dict --prefix ema_model.

Needs PyTorch alone. Names and dtypes stay as they are, and weights that share memory are written each. Training programs keep
weights some levels deep, such as under "state_dict" or "ema": of several sets the one with averaged weights is taken, or the
one that --key names.
"""
import argparse
import json
import os
import struct
import sys

DTYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
          "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL"}
# Of several sets of weights, the first that has one of these in its place.
PREFERRED = ("ema", "state_dict", "model")


def is_tensor(value):
    return hasattr(value, "shape") and hasattr(value, "dtype")


def weight_sets(value, place=""):
    """{place: {name: tensor}} of every dictionary that holds tensors, "state_dict" or "a.b", "" for the file itself."""
    if not isinstance(value, dict):
        return {}
    found = {}
    tensors = {str(name): tensor for name, tensor in value.items() if is_tensor(tensor)}
    if tensors:
        found[place] = tensors
    for key, inner in value.items():
        found |= weight_sets(inner, f"{place}.{key}" if place else str(key))
    return found


def chosen_set(sets, key=None):
    """The place of the weights to convert. SystemExit with the places that there are where none is meant."""
    shown = ", ".join(repr(place) for place in sets) or "none"
    if key is not None:
        if key not in sets:
            sys.exit(f"convert_weights: no weights under {key!r}; there are: {shown}")
        return key
    if len(sets) == 1:
        return next(iter(sets))
    for word in PREFERRED:
        places = [place for place in sets if any(part.startswith(word) for part in place.split("."))]
        if len(places) == 1:
            return places[0]
    sys.exit(f"convert_weights: expected one set of weights, got: {shown}; say which one with --key")


def without_prefix(tensors, prefix):
    """Those whose names begin with the prefix, without it."""
    kept = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    if not kept:
        sys.exit(f"convert_weights: no name begins with {prefix!r}; the first is {next(iter(tensors))!r}")
    return kept


def dtype_of(name, tensor):
    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in DTYPES or str(getattr(tensor, "layout", "torch.strided")) != "torch.strided":
        sys.exit(f"convert_weights: {name!r} is {dtype} and {getattr(tensor, 'layout', 'of no layout')}, which is not converted")
    return DTYPES[dtype]


def write_safetensors(path, tensors, bytes_of):
    """Replaces `path` once all is written. The widest dtypes come first, so that every tensor is aligned."""
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name in order:
        begin, end = end, end + tensors[name].numel() * tensors[name].element_size()
        header[name] = {"dtype": dtype_of(name, tensors[name]), "shape": list(tensors[name].shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            file.write(bytes_of(tensors[name]))
    os.replace(path + ".part", path)


def read_pickle(path, trust):
    import pickle

    import torch
    try:
        return torch.load(path, map_location="cpu", weights_only=not trust)
    except pickle.UnpicklingError:
        sys.exit(f"convert_weights: {path} holds more than weights, or is no file of torch.save(). A pickle is a program: with "
                 "--trust it is run, which is only for files from people you trust.")
    except (EOFError, IndexError, KeyError, RuntimeError, ValueError) as error:
        sys.exit(f"convert_weights: {path} is no whole file of torch.save(): {error}")
    except (AttributeError, ImportError) as error:
        sys.exit(f"convert_weights: {path} needs the code that it was written with: {error}. Run this script where Python "
                 "finds that code.")
    except OSError as error:
        sys.exit(f"convert_weights: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="what torch.save() has written")
    parser.add_argument("target", nargs="?", help="the safetensors file to write; without it the weights are listed")
    parser.add_argument("--key", help='where the weights are: "state_dict", "ema.model"')
    parser.add_argument("--prefix", default="", help="convert names with this prefix alone, without it")
    parser.add_argument("--trust", action="store_true", help="also read files that hold more than weights, by running them")
    arguments = parser.parse_args()

    sets = weight_sets(read_pickle(arguments.source, arguments.trust))
    if not arguments.target:
        for place, tensors in sets.items():
            print(f"{place!r}: {len(tensors)} tensors")
            for name, tensor in tensors.items():
                print(f"    {name}  {list(tensor.shape)}  {str(tensor.dtype).removeprefix('torch.')}")
        return
    place = chosen_set(sets, arguments.key)
    tensors = without_prefix(sets[place], arguments.prefix)

    import torch
    write_safetensors(arguments.target, tensors,
                      lambda tensor: tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    where = f" under {place!r}" if place else ""
    print(f"{arguments.target}: {len(tensors)} tensors{where}, {sum(t.numel() for t in tensors.values())} elements")


if __name__ == "__main__":
    main()

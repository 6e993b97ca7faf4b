#!/usr/bin/env python3
"""Writes the files that the tests of tests/data and tests/io read but did not write: numpy's arrays, LMDB, CIFAR, STL-10 and
CelebA as they are published, made small. The suite keeps the files and never runs this.

    tests/data/files/make_files.py        (Debian: python3-numpy python3-lmdb python3-pil)
"""
import gzip
import io
import pathlib
import tempfile

import lmdb
import numpy as np
from PIL import Image, PngImagePlugin

HERE = pathlib.Path(__file__).resolve().parent
ARRAYS = HERE.parent.parent / "io" / "files" / "numpy"


def keep(path, content):
    """With gzip, without a time: the same bytes at every call."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(bytes(content), 9, mtime=0))


def arrays():
    for name in ["b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]:
        values = np.arange(6).reshape(2, 3)  # 0 1 2 / 3 4 5
        if name == "b1":
            values = values % 2
        if name[0] == "i":
            values = values - 2
        if name[0] == "f":
            values = values / 4 - 0.5
        np.save(ARRAYS / f"{name}.npy", values.astype(name))
    numbers = np.arange(24).reshape(2, 3, 4)
    np.save(ARRAYS / "big_endian.npy", numbers.astype(">i2"))
    np.save(ARRAYS / "fortran.npy", np.asfortranarray(numbers.astype("<f4")))
    np.save(ARRAYS / "big_endian_fortran.npy", np.asfortranarray(numbers.astype(">f8")))
    np.save(ARRAYS / "scalar.npy", np.float32(2.5))
    np.save(ARRAYS / "one_axis.npy", np.arange(3, dtype="<i8"))
    np.save(ARRAYS / "empty.npy", np.zeros((0, 3), "<f4"))
    for version in [(2, 0), (3, 0)]:
        with open(ARRAYS / f"version_{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, numbers.astype("u1"), version)
    np.save(ARRAYS / "objects.npy", np.array([{"a": 1}, None], dtype=object))
    np.save(ARRAYS / "records.npy", np.zeros(2, dtype=[("x", "<f4"), ("y", "<i2")]))
    np.save(ARRAYS / "complex.npy", np.zeros(2, dtype="<c8"))
    np.save(ARRAYS / "text.npy", np.array(["ab", "c"]))


def archives():
    images = np.arange(2 * 3 * 4 * 3, dtype="u1").reshape(2, 3, 4, 3)
    np.savez(ARRAYS / "stored.npz", images=images, labels=np.array([7, 0]))
    # As dSprites has it: masks, and what describes them as a pickle.
    masks = np.indices((3, 4, 4)).sum(0) % 2
    np.savez_compressed(
        ARRAYS / "deflated.npz", imgs=masks.astype("u1"), metadata=np.array({"author": "x"}, dtype=object)
    )
    planes = np.moveaxis(images, 3, 1).astype("<f4") / 255 * 2 - 1
    np.savez_compressed(ARRAYS / "planes.npz", x=np.asfortranarray(planes), y=np.array([[1], [2]], "u1"))


def cifar_record(labels, shift):
    channel, y, x = np.indices((3, 32, 32))
    return bytes(labels) + (channel * 80 + y * 2 + x // 8 + shift).astype("u1").tobytes()


def cifar():
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()
    ten = HERE / "cifar-10-batches-bin"
    for batch in range(1, 6):
        keep(ten / f"data_batch_{batch}.bin", cifar_record([batch], batch))
    keep(ten / "test_batch.bin", cifar_record([9], 0) + cifar_record([0], 10))
    keep(ten / "batches.meta.txt", ("\n".join(names) + "\n\n").encode())
    hundred = HERE / "cifar-100-binary"
    keep(hundred / "train.bin", cifar_record([19, 99], 1) + cifar_record([0, 42], 2))
    keep(hundred / "test.bin", cifar_record([3, 7], 3))
    keep(hundred / "fine_label_names.txt", "".join(f"fine {i}\n" for i in range(100)).encode())
    keep(hundred / "coarse_label_names.txt", "".join(f"coarse {i}\n" for i in range(20)).encode())


def stl10():
    names = "airplane bird car cat deer dog horse monkey ship truck".split()
    folder = HERE / "stl10_binary"

    def pictures(count):
        sample, y, x, channel = np.indices((count, 96, 96, 3))
        images = (sample * 10 + y + 2 * (x // 16) + 50 * channel).astype("u1")
        return images.transpose(0, 3, 2, 1).tobytes()  # planes, column by column

    keep(folder / "train_X.bin", pictures(2))
    keep(folder / "train_y.bin", bytes([10, 1]))
    keep(folder / "test_X.bin", pictures(1))
    keep(folder / "test_y.bin", bytes([3]))
    keep(folder / "unlabeled_X.bin", pictures(2))
    keep(folder / "class_names.txt", ("\n".join(names) + "\n").encode())


def encoded(form, picture, **options):
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def gray(i, side=8):
    return Image.new("RGB", (side, side), (20 * i, 100, 255 - 20 * i))


def database(name, entries):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "data.mdb"
        with lmdb.open(str(path), subdir=False, map_size=1 << 20) as env:
            with env.begin(write=True) as transaction:
                for key, value in entries.items():
                    transaction.put(key.encode(), value)
        keep(HERE / "lmdb" / f"{name}.mdb", path.read_bytes())


def databases():
    forms = [("JPEG", {"quality": 95}), ("PNG", {}), ("WEBP", {"lossless": True})]
    for name, prefix, zfill in [("celeba", "None", 7), ("ffhq", "256", 5), ("lsun", "256", 7)]:
        entries = {"length": b"3"}
        for i, (form, options) in enumerate(forms):
            entries[f"{prefix}-{str(i).zfill(zfill)}"] = encoded(form, gray(i), **options)
        database(name, entries)
    two = {f"{side}-{i:05}": encoded("PNG", gray(i, side)) for side in (8, 16) for i in range(12)}
    database("two_sizes", two | {"length": b"12"})
    # Branches above its leaves, and a value that has pages of its own.
    many = {f"256-{i:05}": encoded("PNG", gray(i % 12)) for i in range(300)}
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 9000)
    many["256-00150"] = encoded("PNG", gray(7), pnginfo=text)
    database("many", many | {"length": b"300"})
    database("no_length", {"256-00000": encoded("PNG", gray(0))})
    database("too_long", {"length": b"2", "256-00000": encoded("PNG", gray(0))})
    database("other_keys", {"length": b"1", "cat.jpg": encoded("PNG", gray(0))})
    database("broken_picture", {"length": b"1", "256-00000": encoded("PNG", gray(0))[:40]})


ATTRIBUTES = """5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair Blurry
Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones Male
Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns
Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace Wearing_Necktie
Young""".split()


def celeba():
    folder = HERE / "celeba"
    rows = {f"{i + 1:06}.jpg": [1 if (i + k) % 3 == 0 else -1 for k in range(40)] for i in range(4)}
    text = f"{len(rows)}\n{' '.join(ATTRIBUTES)} \n"
    for name, values in rows.items():
        text += name + "".join(f"{value:3}" for value in values) + "\n"
    table = "image_id," + ",".join(ATTRIBUTES) + "\n"
    for name, values in rows.items():
        table += name + "," + ",".join(map(str, values)) + "\n"
    parts = list(zip(rows, [0, 0, 1, 2]))
    keep(folder / "list_attr_celeba.txt", text.encode())
    keep(folder / "list_attr_celeba.csv", table.encode())
    keep(folder / "list_eval_partition.txt", "".join(f"{name} {part}\n" for name, part in parts).encode())
    keep(folder / "list_eval_partition.csv",
         ("image_id,partition\n" + "".join(f"{name},{part}\n" for name, part in parts)).encode())
    for i, name in enumerate(rows):
        # Red inside of the published crop, top 57, left 25, 128 x 128; the picture's own shade around it.
        picture = Image.new("RGB", (178, 218), (0, 60 * i, 255))
        picture.paste((255, 60 * i, 0), (25, 57, 25 + 128, 57 + 128))
        keep(folder / "img_align_celeba" / name, encoded("JPEG", picture, quality=95, subsampling=0))


for make in (arrays, archives, cifar, stl10, databases, celeba):
    make()

"""The main job on a small set of each published format and kind of array:

    data_kinds.py TRAIN_DIFFSIAM FOLDER [KIND...]

Each set is estimated, learned to the end, and what the run leaves is compared with what the set holds. Then the set is
spoilt, and must be refused with one sentence before a run begins. Pictures of JPEG and databases are kept files that other
programs wrote (tests/data/files); the rest is written here as it is published. Needs nothing but Python.
"""
import gzip
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import zipfile

KEPT = pathlib.Path(__file__).resolve().parent.parent / "data" / "files"
SMALL = ("--size 16 --base 8 --denoiser-steps 2 --denoiser-batch 8 --steps 2 --siamese-batch 8 --batch 8 "
         "--threads 1").split()
KNOWN, TEST = 80, 24  # pictures of a set that has a test part, which is kept apart
ALL = 100             # of a set that has none


def unpack(name, path):
    path.write_bytes(gzip.decompress((KEPT / name).read_bytes()))


def names(path, count):
    path.write_text("".join(f"class {i}\n" for i in range(count)))


def cut(path, bytes_=1):
    path.write_bytes(path.read_bytes()[:-bytes_])


def npy(values, descr, shape):
    """The bytes of a .npy file of version 1; `values` are the bytes of the elements."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust((len(header) + 10) // 64 * 64 + 53) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values


class Kind:
    """A set of pictures below `folder`; `labels` of all pictures, those of the test part last, or None."""
    options, labels, title, tests, class_names = [], None, "", 0, 0

    def __init__(self, folder):
        self.folder, self.draws = folder, random.Random(0)
        self.path = folder
        folder.mkdir(parents=True)
        self.write()

    def drawn_labels(self, count, classes):
        return [self.draws.randrange(classes) for _ in range(count)]

    def check(self, run):
        """What is true of the run of this kind alone."""


class Cifar10(Kind):
    title, tests, class_names = "CIFAR-10", TEST, 10
    refusal = "records of 3073 bytes"

    def write(self):
        self.labels = self.drawn_labels(KNOWN + TEST, 10)
        records = [bytes([label]) + self.draws.randbytes(3072) for label in self.labels]
        for batch in range(5):
            (self.folder / f"data_batch_{batch + 1}.bin").write_bytes(b"".join(records[batch * 16:batch * 16 + 16]))
        (self.folder / "test_batch.bin").write_bytes(b"".join(records[KNOWN:]))
        names(self.folder / "batches.meta.txt", 10)

    def spoil(self):
        cut(self.folder / "data_batch_3.bin")


class Cifar100(Kind):
    title, tests, class_names = "CIFAR-100", TEST, 100
    refusal = "labels below 100"

    def write(self):
        # 99 is a class that no training picture has.
        self.labels = self.drawn_labels(KNOWN + TEST // 2, 90) + [99] * (TEST // 2)
        records = [bytes([label // 5, label]) + self.draws.randbytes(3072) for label in self.labels]
        (self.folder / "train.bin").write_bytes(b"".join(records[:KNOWN]))
        (self.folder / "test.bin").write_bytes(b"".join(records[KNOWN:]))
        names(self.folder / "fine_label_names.txt", 100)

    def spoil(self):
        path = self.folder / "test.bin"
        path.write_bytes(b"\x13\x64" + path.read_bytes()[2:])


class Stl10(Kind):
    title, tests, class_names = "STL-10", TEST, 10
    refusal = "one for each picture"

    def write(self):
        self.labels = self.drawn_labels(KNOWN + TEST, 10)
        for part, labels in ("train", self.labels[:KNOWN]), ("test", self.labels[KNOWN:]):
            (self.folder / f"{part}_X.bin").write_bytes(self.draws.randbytes(3 * 96 * 96 * len(labels)))
            (self.folder / f"{part}_y.bin").write_bytes(bytes(label + 1 for label in labels))
        names(self.folder / "class_names.txt", 10)

    def spoil(self):
        cut(self.folder / "test_y.bin")


class Celeba(Kind):
    """The kept faces again and again, one of them broken, in parts that are not in the order of the list."""
    title, class_names = "CelebA", 2
    options = ["--labels", "Smiling", "--keep-duplicates", "--skip-unreadable"]
    refusal = "its part, 0, 1 or 2"
    broken = 5

    def write(self):
        self.files = [f"{i + 1:06}.jpg" for i in range(ALL)]
        self.smiles = self.drawn_labels(ALL, 2)
        self.parts = [0] * 70 + [1] * 10 + [2] * 20
        self.draws.shuffle(self.parts)
        self.parts[self.broken] = 0
        (self.folder / "img_align_celeba").mkdir()
        for i, name in enumerate(self.files):
            unpack(f"celeba/img_align_celeba/{i % 4 + 1:06}.jpg.gz", self.folder / "img_align_celeba" / name)
        cut(self.folder / "img_align_celeba" / self.files[self.broken], 800)
        rows = "".join(f"{name} {2 * smile - 1:2} -1\n" for name, smile in zip(self.files, self.smiles))
        (self.folder / "list_attr_celeba.txt").write_text(f"{ALL}\nSmiling Young\n{rows}")
        (self.folder / "list_eval_partition.txt").write_text(
            "".join(f"{name} {part}\n" for name, part in zip(self.files, self.parts)))
        read = [i for i in range(ALL) if i != self.broken]
        self.order = [i for part in range(3) for i in read if self.parts[i] == part]
        self.labels = [self.smiles[i] for i in self.order]
        self.tests = len(self.order)  # all of them stand where they are expected

    def check(self, run):
        found = run.tensors["names"].decode().split("\0")[:-1]
        expected = [str(self.folder / "img_align_celeba" / self.files[i]) for i in self.order]
        require(found == expected, f"pictures in the published parts, got {found}")
        require("as list_eval_partition says" in run.log, run.log)
        require(f"skipped {self.files[self.broken]}" in run.log, run.log)

    def spoil(self):
        path = self.folder / "list_eval_partition.txt"
        path.write_text(path.read_text().replace(f"{self.files[7]} {self.parts[7]}", f"{self.files[7]} 3"))


class Lmdb(Kind):
    """300 pictures, of which the first 12 come again and again."""
    options = ["--keep-duplicates"]
    refusal = "pages"

    def write(self):
        unpack("lmdb/many.mdb.gz", self.folder / "data.mdb")
        self.title = self.folder.name

    def check(self, run):
        found = run.tensors["names"].decode().split("\0")[:-1]
        require(sorted(found) == [f"256-{i:05}" for i in range(300)], f"300 keys, got {found}")

    def spoil(self):
        path = self.folder / "data.mdb"
        path.write_bytes(path.read_bytes()[:8192])


class Npy(Kind):
    title = "images.npy"
    refusal = "100 labels"

    def write(self):
        self.path = self.folder / "images.npy"
        self.path.write_bytes(npy(self.draws.randbytes(ALL * 18 * 20 * 3), "|u1", (ALL, 18, 20, 3)))
        self.labels = self.drawn_labels(ALL, 4)
        self.write_labels(self.labels)
        self.options = ["--labels", str(self.folder / "labels.npy")]

    def write_labels(self, labels):
        (self.folder / "labels.npy").write_bytes(
            npy(struct.pack(f"<{len(labels)}q", *labels), "<i8", (len(labels),)))

    def spoil(self):
        self.write_labels(self.labels[1:])


class Npz(Kind):
    title = "arrays.npz"
    refusal = "images"

    def write(self):
        self.labels = self.drawn_labels(ALL, 3)
        self.path = self.folder / "arrays.npz"
        self.write_under("images")

    def write_under(self, name):
        with zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}.npy", npy(self.draws.randbytes(ALL * 16 * 16), "|u1", (ALL, 16, 16)))
            archive.writestr("labels.npy", npy(bytes(self.labels), "|u1", (ALL, 1)))

    def check(self, run):
        require(run.config["channels"] == 1, "grey pictures stay grey")

    def spoil(self):
        self.write_under("pictures")


class Safetensors(Kind):
    title = "arrays.safetensors"
    refusal = "1 or 3 channels"

    def write(self):
        self.labels = self.drawn_labels(ALL, 3)
        self.path = self.folder / "arrays.safetensors"
        self.write_channels(3)

    def write_channels(self, channels):
        pixels = self.draws.randbytes(ALL * 16 * 16 * channels)
        labels = struct.pack(f"<{ALL}q", *self.labels)
        header = json.dumps({
            "images": {"dtype": "U8", "shape": [ALL, 16, 16, channels], "data_offsets": [0, len(pixels)]},
            "labels": {"dtype": "I64", "shape": [ALL], "data_offsets": [len(pixels), len(pixels) + len(labels)]}})
        header += " " * (-len(header) % 8)
        self.path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + pixels + labels)

    def spoil(self):
        self.write_channels(4)


KINDS = {"cifar10": Cifar10, "cifar100": Cifar100, "stl10": Stl10, "celeba": Celeba, "lmdb": Lmdb, "npy": Npy,
         "npz": Npz, "safetensors": Safetensors}


def require(holds, what):
    if not holds:
        sys.exit(f"data_kinds: expected {what}")


def tensors_of(path):
    """The bytes of each tensor of a safetensors file."""
    content = path.read_bytes()
    begin = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:begin])
    return {name: content[begin + entry["data_offsets"][0]:begin + entry["data_offsets"][1]]
            for name, entry in header.items() if name != "__metadata__"}


class Run:
    """What a run has left."""

    def __init__(self, folder, log):
        self.log = log
        self.result = json.loads((folder / "result.json").read_text())
        self.config = json.loads((folder / "config.json").read_text())
        self.report = (folder / "report.html").read_text()
        self.tensors = tensors_of(folder / "features.safetensors")


def check_features(kind, run):
    if kind.labels is None:
        require("labels" not in run.tensors and "view_retrieval" in run.result, "no labels, and a measure without them")
        return
    values = run.tensors["labels"]
    found = list(struct.unpack(f"<{len(values) // 8}q", values))
    require(sorted(found) == sorted(kind.labels), f"the labels {kind.labels}, got {found}")
    tail = len(found) - kind.tests
    require(found[tail:] == kind.labels[tail:], f"the test part last: {kind.labels[tail:]}, got {found[tail:]}")
    require({"knn", "linear_probe"} <= run.result.keys(), "measures of labels")
    require(run.tensors.get("class_names", b"").count(b"\0") == kind.class_names, f"{kind.class_names} names of classes")


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    for name in sys.argv[3:] or KINDS:
        print(name, flush=True)
        kind, out = KINDS[name](folder / name), folder / f"{name}.run"

        def train(*options):
            command = [program, *SMALL, "--data", str(kind.path), *kind.options, "--out", str(out), *options]
            return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        estimate = train("--estimate")
        require(estimate.returncode == 0 and "GB for networks and activations" in estimate.stdout, estimate.stdout)
        require(not out.exists(), "no run of an estimate")
        done = train()
        require(done.returncode == 0, f"a run of {name} to its end, got: {done.stdout}")
        run = Run(out, done.stdout)
        require(f"DiffSiam on {kind.title}" in run.report, f"a report on {kind.title}")
        check_features(kind, run)
        kind.check(run)

        shutil.rmtree(out)
        kind.spoil()
        refused = train()
        sentence = refused.stdout.splitlines()
        require(refused.returncode == 1 and len(sentence) == 1 and sentence[0].startswith("train_diffsiam: ") and
                kind.refusal in sentence[0], f"one sentence with '{kind.refusal}', got: {refused.stdout}")
        require(not out.exists(), "no run of a broken set")


if __name__ == "__main__":
    main()

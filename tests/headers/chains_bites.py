"""Tries chains.py on headers whose chains are known.

    chains_bites.py PATH_OF_CHAINS_PY"""

import pathlib
import subprocess
import sys
import tempfile

FILES = {
    "a.hpp": "",
    "b.hpp": "#include <diffsiam/a.hpp>\n",
    "c.hpp": "#include <diffsiam/b.hpp>\n#include <vector>\n",
    "d.hpp": "#include <diffsiam/a.hpp>\n",  # beside b: a second chain
    "e.hpp": "#ifdef SOMETHING\n#include <diffsiam/d.hpp>\n#endif\n",  # a third one, since d may be missing
}

with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "diffsiam").mkdir()
    for file, text in FILES.items():
        (folder / "diffsiam" / file).write_text(text)
    (folder / "list").write_text("".join(f"diffsiam/{file}\n" for file in FILES))

    def run(*more):
        return subprocess.run([sys.executable, sys.argv[1], folder, folder / "list", *more], capture_output=True, text=True)

    chains = [line.replace("diffsiam/", "").replace(".hpp", "") for line in run().stdout.splitlines()]
    assert sorted("".join(chains).replace(" ", "")) == list("abcde"), chains
    assert len(chains) == 3 and "e" in chains, chains
    assert any("b c" in chain for chain in chains), chains

    (folder / "expected").write_text(run().stdout)
    assert run(folder / "expected").returncode == 0
    (folder / "diffsiam" / "c.hpp").write_text("#include <vector>\n")
    refused = run(folder / "expected")
    assert refused.returncode != 0 and "run CMake" in refused.stderr, refused

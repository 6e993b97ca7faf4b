"""Walks the recipes of CONTRIBUTING.md as they are written: walk.py PROJECT TREE.

A folder KIND-NAME here holds what somebody adds who follows the section "A new KIND": the files that its numbered
list names, and no others, and in `edits` the lines for files that exist already. All of them are put into TREE, a
copy of the project, which must then pass scripts/check_includes and scripts/check_mirror; TREE/recipes.cpp includes their tests.
"""
import pathlib
import re
import shutil
import subprocess
import sys

RECIPE = re.compile(r"^## An? new (.+)\n((?:.*\n)*?)(?=^## |\Z)", re.MULTILINE)
ITEM = re.compile(r"^\d+\. `([^`]+)`", re.MULTILINE)


def listed_files(contributing):
    """The paths that open the numbered items of each recipe, by its kind."""
    return {kind.strip(): set(ITEM.findall(text)) for kind, text in RECIPE.findall(contributing)}


def edits_of(folder):
    """{path: [(line that stands there, lines to add behind it)]}: a path, then a line with < and lines with > for each."""
    edits, path = {}, None
    file = folder / "edits"
    for line in file.read_text().splitlines() if file.exists() else []:
        if line.startswith("< "):
            edits[path].append((line[2:], []))
        elif line.startswith(">"):
            edits[path][-1][1].append(line[2:])
        else:
            path = line
            edits[path] = []
    return edits


def apply(edits, tree):
    for path, lines in edits.items():
        text = (tree / path).read_text()
        for anchor, added in lines:
            if text.count(f"{anchor}\n") != 1:
                sys.exit(f"{path}: expected one line '{anchor}'")
            text = text.replace(f"{anchor}\n", "\n".join([anchor, *added, ""]))
        (tree / path).write_text(text)


def main(project, tree):
    recipes = project / "tests" / "recipes"
    listed = listed_files((project / "CONTRIBUTING.md").read_text())
    folders = {f.name.split("-")[0].replace("_", " "): f for f in sorted(recipes.glob("*-*"))}
    if listed.keys() != folders.keys():
        sys.exit(f"CONTRIBUTING.md has recipes for {sorted(listed)}, tests/recipes for {sorted(folders)}")
    shutil.rmtree(tree, ignore_errors=True)
    for part in ("include", "tests", "benchmarks", "experiments"):
        shutil.copytree(project / part, tree / part, ignore=shutil.ignore_patterns("recipes", "corpus", "*.safetensors"))
    tests = []
    for kind, folder in folders.items():
        name = folder.name.split("-")[1]
        added = {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file() and f.name != "edits"}
        edits = edits_of(folder)
        wanted = {path.replace("<name>", name) for path in listed[kind]}
        if wanted != added | edits.keys():
            sys.exit(f"A new {kind}: CONTRIBUTING.md lists {sorted(wanted)}, needed are {sorted(added | edits.keys())}")
        tests += sorted(path for path in added if path.endswith(".test.cpp"))
        for path in added:
            if (tree / path).exists():
                sys.exit(f"{path} exists: a recipe adds files")
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, tree / path)
        apply(edits, tree)
    for check in ("check_includes", "check_mirror"):
        subprocess.run([sys.executable, project / "scripts" / check, tree], check=True)
    # The last one compares the cases of operations with the headers of ops/.
    tests.append("tests/ops/table.test.cpp")
    (tree / "recipes.cpp").write_text("".join(f'#include "{path}"\n' for path in tests))


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))

"""Prints the headers that reach a slow header of another library, itself or through others, one a line:
slow_includes.py INCLUDE_FOLDER SLOW, for example slow_includes.py include Eigen/Core.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r"^\s*#\s*include\s*<([^>]+)>", re.MULTILINE)

root, slow = pathlib.Path(sys.argv[1]), sys.argv[2]
direct = {str(p.relative_to(root)): set(INCLUDE.findall(p.read_text())) for p in root.glob("diffsiam/**/*.hpp")}
reaching = {header for header, targets in direct.items() if slow in targets}
while found := {header for header, targets in direct.items() if header not in reaching and targets & reaching}:
    reaching |= found
print("\n".join(sorted(reaching)))

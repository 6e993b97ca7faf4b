"""Orders headers so that few compilations show that each of them compiles alone.

    chains.py INCLUDE_FOLDER LIST           prints one chain a line: headers with spaces between them
    chains.py INCLUDE_FOLDER LIST EXPECTED  fails where they are no longer those of the file EXPECTED

LIST is a file that names the headers, one a line. In a chain each header includes those before it, directly or
not. So a unit that includes a chain in its order gives no header more than the header includes by itself, and
the whole chain costs about what its last header does. The fewest chains are a greatest matching of headers with
those that follow them (Fulkerson 1956)."""

import pathlib
import re
import sys

INCLUDE = re.compile(r"\s*#\s*include\s*<(diffsiam/[^>]+)>")
IF = re.compile(r"\s*#\s*if")
ENDIF = re.compile(r"\s*#\s*endif")


def included(text):
    """What a header includes in any case; an #include under an #if does not count."""
    depth = 0
    for line in text.splitlines():
        if IF.match(line):
            depth += 1
        elif ENDIF.match(line):
            depth -= 1
        elif depth == 0 and (found := INCLUDE.match(line)):
            yield found[1]


def reach_of(folder, headers):
    """What each header includes, directly or not."""
    reach = {}

    def reached(header):
        if header not in reach:
            reach[header] = set()  # ends a circle
            for target in included((folder / header).read_text(encoding="utf-8")):
                reach[header] |= {target} | reached(target)
        return reach[header]

    return {header: reached(header) for header in headers}


def chains_of(reach):
    before, after = {}, {}

    def follow(header, seen):
        for other in reach:
            if header in reach[other] and other not in seen:
                seen.add(other)
                if other not in before or follow(before[other], seen):
                    before[other], after[header] = header, other
                    return True
        return False

    for header in reach:
        follow(header, set())
    for header in reach:
        if header not in before:
            chain = [header]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            yield chain


folder, listed, *expected = map(pathlib.Path, sys.argv[1:])
chains = chains_of(reach_of(folder, sorted(listed.read_text(encoding="utf-8").split())))
text = "".join(" ".join(chain) + "\n" for chain in chains)
if not expected:
    sys.stdout.write(text)
elif text != expected[0].read_text(encoding="utf-8"):
    sys.exit("headers include other headers than when CMake ran: run CMake and build again")

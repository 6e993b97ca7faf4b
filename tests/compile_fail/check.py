"""Checks one wrong use: check.py CASE.cpp COMPILER FLAGS...

The case must fail to compile with each `// EXPECT:` sentence in the output, and compile with -DTWIN. The sentence of a
line `// EXPECT EARLY:` stands in the first ten lines of the output, where it is read. `// FLAGS:`, or
`// FLAGS clang:` and `// FLAGS g++:`, are of the wrong use alone.
"""
import subprocess
import sys


EARLY = 10


def sentences(lines, mark):
    return [line.split(mark, 1)[1].strip() for line in lines if line.startswith(mark)]


def compile_case(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")


def main():
    case, command = sys.argv[1], sys.argv[2:] + [sys.argv[1]]
    with open(case, encoding="utf-8") as text:
        lines = text.read().splitlines()
    expected = sentences(lines, "// EXPECT:")
    early = sentences(lines, "// EXPECT EARLY:")
    if not expected + early:
        return f"{case}: no line '// EXPECT: <sentence>'"
    if not any("TWIN" in line for line in lines):
        return f"{case}: no '#ifdef TWIN' with the corrected lines"

    code, output = compile_case(command + ["-DTWIN"])
    if code != 0:
        return f"{output}\n{case}: the corrected twin does not compile"
    name = "clang" if "clang" in command[0] else "g++"
    flags = sentences(lines, "// FLAGS:") + sentences(lines, f"// FLAGS {name}:")
    code, output = compile_case(command + " ".join(flags).split())
    if code == 0:
        return f"{case}: compiles, but should not"
    # A sentence that stands in the case's own lines proves nothing: compilers quote them.
    said = ["" if "// EXPECT" in line else line for line in output.splitlines()]
    for sentence, where in [(s, said) for s in expected] + [(s, said[:EARLY]) for s in early]:
        if not any(sentence in line for line in where):
            return f"{output}\n{case}: the compiler does not say '{sentence}' in {len(where)} lines"
    return None


if __name__ == "__main__":
    sys.exit(main())

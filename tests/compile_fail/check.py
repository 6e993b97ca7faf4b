"""Checks one wrong use: check.py CASE.cpp COMPILER FLAGS...

The case must fail to compile with each `// EXPECT:` sentence in the output, and compile with -DTWIN.
"""
import subprocess
import sys


def compile_case(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")


def main():
    case, command = sys.argv[1], sys.argv[2:] + [sys.argv[1]]
    with open(case, encoding="utf-8") as text:
        lines = text.read().splitlines()
    expected = [line.split("// EXPECT:", 1)[1].strip() for line in lines if line.startswith("// EXPECT:")]
    if not expected:
        return f"{case}: no line '// EXPECT: <sentence>'"
    if not any("TWIN" in line for line in lines):
        return f"{case}: no '#ifdef TWIN' with the corrected lines"

    code, output = compile_case(command + ["-DTWIN"])
    if code != 0:
        return f"{output}\n{case}: the corrected twin does not compile"
    code, output = compile_case(command)
    if code == 0:
        return f"{case}: compiles, but should not"
    # A sentence that stands in the case's own lines proves nothing: compilers quote them.
    said = "\n".join(line for line in output.splitlines() if "EXPECT:" not in line)
    for sentence in expected:
        if sentence not in said:
            return f"{output}\n{case}: the compiler does not say '{sentence}'"
    return None


if __name__ == "__main__":
    sys.exit(main())

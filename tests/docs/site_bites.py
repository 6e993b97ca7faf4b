"""Proves that the scripts behind scripts/docs do what they say: site_bites.py FOLDER_OF_THE_SCRIPTS."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

scripts = pathlib.Path(sys.argv[1])


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(scripts / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


# Pages: names, references, formulas, and what is left alone.
site = load("filter")
PAGE = """# The method
With $x_t$ see [results](results.md), [a part](results.md#what-holds), `nn/linear.hpp`, `$x$` and [out](https://a.org/b).

$$
x^2
$$

    a $b$ c

## Noise
"""
FILTERED = """# The method {#method}
With @f$x_t@f$ see @ref results "results", @ref results__what-holds "a part", @ref diffsiam/nn/linear.hpp "nn/linear.hpp", `$x$` and [out](https://a.org/b).

@f[
x^2
@f]

    a $b$ c

## Noise
"""
assert site.filter_page("docs/method.md", PAGE, set()) == FILTERED, site.filter_page("docs/method.md", PAGE, set())
assert "c\n@anchor method__noise\n## Noise\n" in site.filter_page("docs/method.md", PAGE, {("docs/method.md", "noise")})
assert site.page_name("docs/concepts/losses.md") == "concepts_losses"

# Headers: the comment at the head, formulas in it, docstrings that are code or look like HTML; no line is lost.
HEADER = """// A thing of <B> & more.
//   y = x
// Its source.
#pragma once

/// Takes Tensor<B>, or `Tensor<B>`.
struct A {};
/// A a{1};
/// a.run();
struct B {};
"""
filtered = site.filter_header(HEADER)
for part in (r"/** @file", r"A thing of \<B\> \& more.", "@code{.txt}   y = x@endcode", "Its source. */", r"Takes Tensor\<B>, or `Tensor<B>`.",
             "///@code{.cpp} A a{1};", "/// a.run();@endcode"):
    assert part in filtered, (part, filtered)
assert filtered.count("\n") == HEADER.count("\n"), filtered

# Links: what leads nowhere is found.
GOOD = '<a href="b.html#place">b</a> <img src="p.png"/> <a href="https://doi.org/10.1/2">paper</a>'
BAD = [
    ('<a href="gone.html">gone</a>', "no such file: gone.html"),
    ('<a href="b.html#gone">gone</a>', "no such place: b.html#gone"),
    ('<img src="gone.png">', "no such file: gone.png"),
    ('<a href="#gone">gone</a>', "no such place: #gone"),
    ('<a href="https://nowhere">gone</a>', "no address: https://nowhere"),
]


def check(page):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "a.html").write_text(page)
        (root / "b.html").write_text('<a id="place"></a>')
        (root / "p.png").write_text("")
        return subprocess.run([sys.executable, scripts / "check_links", folder], capture_output=True, text=True)


assert check(GOOD).returncode == 0, check(GOOD).stdout
for link, complaint in BAD:
    bad = check(GOOD + link)
    assert bad.returncode == 1 and complaint in bad.stdout, (link, bad.stdout, bad.stderr)
print(f"site_bites: {len(BAD)} bad links found")

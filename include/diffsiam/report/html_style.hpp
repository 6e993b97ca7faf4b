// The style sheet of a report: system fonts, a limited line length, light or dark as the reader prefers, and
// no element divided between pages on paper.
#pragma once

#include <string_view>

namespace diffsiam::report {

/// The text of the style sheet, as it stands in each report.
inline constexpr std::string_view report_style = R"css(
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1b1e23; --soft: #5c6470; --line: #dde1e6;
  --panel: #f5f6f8; --accent: #1f66ad; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14161a; --ink: #e6e8eb; --soft: #9ba3ae; --line: #31363e; --panel: #1d2026; --accent: #7db4ea; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; text-wrap: balance; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.75rem 0 .75rem; padding-top: .75rem;
  border-top: 1px solid var(--line); }
p { max-width: 42rem; margin: .75rem 0; white-space: pre-line; overflow-wrap: break-word; }
.intro { font-size: 1.1rem; color: var(--soft); }
a { color: var(--accent); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 1.25rem 0 0; padding: 0; }
.figures { display: flex; flex-wrap: wrap; gap: 1.5rem 2rem; align-items: flex-start; margin: 1.25rem 0; }
figure { margin: 0; max-width: 100%; }
figcaption { color: var(--soft); font-size: .875rem; line-height: 1.4; margin-top: .5rem; max-width: 30rem; }
img { display: block; max-width: 100%; height: auto; image-rendering: pixelated; border-radius: 3px; }
svg.chart { display: block; max-width: 100%; height: auto; }
.table { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: .5rem; }
th, td { text-align: left; padding: .4rem 1.5rem .4rem 0; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
th { font-weight: 600; border-bottom-color: var(--soft); vertical-align: bottom; }
td.number, th.number { text-align: right; }
td.number { white-space: nowrap; }
pre { background: var(--panel); border-radius: 6px; padding: .9rem 1rem; overflow-x: auto; line-height: 1.45;
  font: .8125rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (max-width: 32rem) { h1 { font-size: 1.5rem; } main { padding: 1.25rem 1rem 3rem; }
  th, td { padding-right: 1rem; } }
@media print {
  :root { --ground: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb; --panel: #ffffff; --accent: #000000; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  h2 { break-after: avoid; }
  figure, tr, pre { break-inside: avoid; }
  pre { white-space: pre-wrap; border: 1px solid var(--line); }
  img { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace diffsiam::report

// Conformance of for_each and sum: every kind of operand, every combination of kept and summed extents, and
// sizes that a backend divides into pieces.
#pragma once

#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/testing/comparison.hpp>

namespace diffsiam::testing {

/// y and z are different combinations of one operand of each kind.
struct MixAll {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T& z, T const& full, T const& wide, T const& c, T const& nc,
                                       T const& sc, T const& n, T const& ns, T const& once) const {
    y = full + T(2) * wide + T(3) * c * nc - sc;
    z += n * full + T(5) * ns + once;
  }
};

/// y = 2 x - y, in place.
struct Reflect {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x) const {
    y = T(2) * x - y;
  }
};

/// Checks for_each with every kind of operand, overwriting, accumulating and in place.
template <class B>
void check_for_each(Bench<B>& bench, SampleGrid const& g) {
  std::string const name = "for_each over " + to_string(Shape{g.n, g.s, g.c});
  auto const y = bench.filled({g.n, g.s, g.c + 2}, 9), z = bench.twin({g.n, g.s, g.c});
  auto const full = bench.twin({g.n, g.s, g.c}), wide = bench.twin({g.n, g.s, 2 * g.c});
  auto const c = bench.twin({g.c}), nc = bench.twin({g.n, 3 * g.c}), sc = bench.twin({g.s, g.c});
  auto const n = bench.twin({g.n}), ns = bench.twin({g.n, g.s}), once = bench.twin({1});
  bench.run([&]<class S>(typename S::Context& context, auto pick) {
    // Outputs and inputs are wider than the grid, to test pitches and a start within a row.
    S::for_each(context, g.grid(), MixAll{}, g.full(pick(y) + 1, g.c + 2), g.full(pick(z)),
                g.full(pick(full)), g.full(pick(wide) + g.c, 2 * g.c), g.per_channel(pick(c)),
                g.per_sample_channel(pick(nc) + g.c, 3 * g.c), g.per_position_channel(pick(sc)),
                g.per_sample(pick(n)), g.per_sample_position(pick(ns)), g.once(pick(once)));
  });
  bench.compare(name + ", overwritten", y);
  bench.compare(name + ", accumulated", z);
  bench.run([&]<class S>(typename S::Context& context, auto pick) {
    S::for_each(context, g.grid(), Reflect{}, g.full(pick(z)), g.full(pick(full)));
  });
  bench.compare(name + ", in place", z);
}

/// Checks every kind of output. With `kind` = eighths, sums are exact in any order of additions.
template <class B>
void check_sum(Bench<B>& bench, SampleGrid const& g, Kind kind, double tolerance) {
  std::string const name = "sum over " + to_string(Shape{g.n, g.s, g.c});
  auto const x = bench.twin({g.n, g.s, g.c}, kind), wide = bench.twin({g.n, g.s, g.c + 3}, kind);
  auto const sign = bench.twin({g.c}, Kind::mask), weight = bench.twin({g.n}, Kind::mask);
  auto const once = bench.twin({1}, kind), c = bench.twin({g.c}, kind), n = bench.twin({g.n}, kind);
  auto const nc = bench.twin({g.n, 2 * g.c}, kind), ns = bench.twin({g.n, g.s}, kind);
  auto const sc = bench.twin({g.s, g.c}, kind), full = bench.twin({g.n, g.s, g.c}, kind);
  bench.run([&]<class S>(typename S::Context& context, auto pick) {
    auto const add = [&](auto out) {
      S::sum(context, g.grid(), functional::Itself{}, out, g.full(pick(x)));
      S::sum(context, g.grid(), functional::Product{}, out, g.full(pick(wide) + 2, g.c + 3),
             g.per_channel(pick(sign)));
      S::sum(context, g.grid(), functional::Product{}, out, g.full(pick(x)), g.per_sample(pick(weight)));
    };
    add(g.once(pick(once)));
    add(g.per_channel(pick(c)));
    add(g.per_sample(pick(n)));
    add(g.per_sample_channel(pick(nc), 2 * g.c));
    add(g.per_sample_position(pick(ns)));
    add(g.per_position_channel(pick(sc)));
    add(g.full(pick(full)));
  });
  bench.compare(name + ", all", once, tolerance);
  bench.compare(name + ", per channel", c, tolerance);
  bench.compare(name + ", per sample", n, tolerance);
  bench.compare(name + ", per sample and channel", nc, tolerance);
  bench.compare(name + ", per sample and position", ns, tolerance);
  bench.compare(name + ", per position and channel", sc, tolerance);
  bench.compare(name + ", nothing", full, tolerance);
}

/// Checks grids of five extents with different strides of the operands: none, some or all extents can be
/// merged.
template <class B>
void check_five_extents(Bench<B>& bench, Extents5 const& e) {
  Grid const grid{e};
  std::string name = " over five extents";
  for (Index extent : e) name += " " + std::to_string(extent);
  Extents5 const dense{e[1] * e[2] * e[3] * e[4], e[2] * e[3] * e[4], e[3] * e[4], e[4], 1};
  // The same memory with the two middle extents swapped, and with the first two swapped.
  Extents5 const crossed{e[1] * e[2] * e[3] * e[4], e[2] * e[3] * e[4], e[4], e[2] * e[4], 1};
  Extents5 const outer{e[2] * e[3] * e[4], e[0] * e[2] * e[3] * e[4], e[3] * e[4], e[4], 1};
  Extents5 const kept{e[2] * e[4], 0, e[4], 0, 1};  // the values that a 2x2 mean keeps
  Extents5 const rows{e[2], 0, 1, 0, 0};
  Shape const shape{grid.size()};
  auto const x = bench.twin(shape), y = bench.filled(shape, 9), z = bench.twin(shape);
  auto const sums = bench.twin({e[0] * e[2] * e[4]}), row_sums = bench.twin({e[0] * e[2]});
  bench.run([&]<class S>(typename S::Context& context, auto pick) {
    using T = typename S::Scalar;
    using One = Operand<T, 1>;
    S::for_each(context, grid, functional::Copy{}, One{pick(y), dense}, One{pick(x), crossed});
    S::for_each(context, grid, functional::Accumulate{}, One{pick(z), outer}, One{pick(x), crossed});
    S::for_each(context, grid, functional::Accumulate{}, One{pick(z), dense}, One{pick(sums), kept});
    S::sum(context, grid, functional::Itself{}, One{pick(sums), kept}, One{pick(x), dense});
    S::sum(context, grid, functional::Product{}, Operand<T, 0>{pick(row_sums), rows}, One{pick(x), crossed},
           One{pick(y), outer});
  });
  bench.compare("copy" + name, y, 0);
  bench.compare("accumulate" + name, z);
  bench.compare("sum" + name, sums);
  bench.compare("sum of products" + name, row_sums);
}

/// Runs all of these checks.
template <class B>
void check_walks(Bench<B>& bench) {
  for (SampleGrid const& g :
       {SampleGrid{1, 1, 1}, SampleGrid{2, 3, 5}, SampleGrid{4, 1, 3}, SampleGrid{1, 6, 1},
        SampleGrid{3, 7, 1}, SampleGrid{5, 1, 1}, SampleGrid{2, 9, 70}, SampleGrid{1, 1, 40000},
        SampleGrid{40, 33, 17}, SampleGrid{3, 12000, 2}}) {
    check_for_each(bench, g);
    check_sum(bench, g, Kind::eighths, 0);
    if (g.n * g.s * g.c < 2000) check_sum(bench, g, Kind::normal, tolerance_of<B>);
  }
  // Long enough to be divided, whatever is kept.
  check_sum(bench, {1, 1, 600000}, Kind::eighths, 0);
  check_sum(bench, {1, 150000, 4}, Kind::eighths, 0);
  check_sum(bench, {2, 2000, 130}, Kind::eighths, 0);
  for (Extents5 const& e : {Extents5{2, 3, 4, 5, 6}, Extents5{3, 2, 4, 2, 5}, Extents5{6, 2, 5, 2, 1},
                            Extents5{1, 1, 7, 3, 2}, Extents5{40, 2, 30, 2, 9}})
    check_five_extents(bench, e);
}

}  // namespace diffsiam::testing

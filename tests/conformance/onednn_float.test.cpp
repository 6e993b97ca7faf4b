#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <tests/conformance/check.hpp>

#include <diffsiam/backend/dry/dry_run.hpp>
#include <diffsiam/backend/onednn.hpp>
#include <diffsiam/compiled/onednn_float.hpp>

namespace diffsiam::test {

namespace {

using B = backend::OneDnn<float>;

std::vector<float> numbers(Index size, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(size));
  backend::HostContext context{{.threads = 1}};
  backend::Cpu<float>::normal(context, {.seed = seed}, values.data(), size);
  return values;
}

/// Output and both gradients, added to what is there.
std::array<std::vector<float>, 3> convolve(int threads, ConvGeometry const& g) {
  B::Context context{{.threads = threads}};
  Index const in = g.n * g.h * g.w * g.in, out = g.n * g.out_h() * g.out_w() * g.out;
  auto const x = numbers(in, 1), w = numbers(g.out * g.depth(), 2), bias = numbers(g.out, 3);
  auto const dy = numbers(out, 4);
  std::array result{numbers(out, 5), numbers(in, 6), numbers(g.out * g.depth(), 7)};
  // The second time over, everything is compiled.
  for (int i = 0; i < 2; ++i) {
    B::conv2d(context, g, x.data(), w.data(), bias.data(), result[0].data());
    B::conv2d_gradient_input(context, g, dy.data(), w.data(), result[1].data());
    B::conv2d_gradient_weight(context, g, x.data(), dy.data(), result[2].data());
  }
  return result;
}

/// What oneDNN computes, and what it leaves to the Cpu.
std::vector<ConvGeometry> geometries() {
  return {{21, 9, 7, 24, 40, 3, 2}, {5, 9, 7, 32, 48, 1, 1},  {3, 8, 8, 17, 20, 5, 2},
          {1, 4, 4, 32, 48, 3, 1},  {19, 8, 8, 1, 32, 3, 1},  {19, 8, 8, 32, 1, 3, 1},
          {4, 8, 8, 3, 64, 3, 2},   {33, 6, 5, 20, 20, 1, 2}, {7, 7, 9, 16, 48, 3, 1},
          {2, 3, 3, 160, 96, 3, 1}, {40, 6, 6, 64, 7, 2, 2}};
}

}  // namespace

TEST_CASE("The OneDnn backend in float conforms to the reference", "[conformance]") {
  conforms<B>();
}

TEST_CASE("OneDnn gives the same bits with any number of threads", "[conformance]") {
  for (ConvGeometry const& g : geometries()) {
    INFO(backend::onednn::describe_shape(g));
    auto const expected = convolve(1, g);
    CHECK(convolve(2, g) == expected);
    CHECK(convolve(4, g) == expected);
  }
}

TEST_CASE("OneDnn takes the workspace that a dry run predicts", "[conformance]") {
  for (ConvGeometry const& g : geometries())
    for (int const threads : {1, 3}) {
      INFO(backend::onednn::describe_shape(g) << ", " << threads << " threads");
      Index const in = g.n * g.h * g.w * g.in, out = g.n * g.out_h() * g.out_w() * g.out;
      std::vector<float> x = numbers(in, 1), w = numbers(g.out * g.depth(), 2), y = numbers(out, 3);
      B::Context context{{.threads = threads}};
      backend::DryContext dry{{.threads = threads}};
      auto const run = [&]<class R>(typename R::Context& on, int pass) {
        on.memory().reset_peak();
        if (pass == 0) R::conv2d(on, g, x.data(), w.data(), nullptr, y.data());
        if (pass == 1) R::conv2d(on, g, x.data(), w.data(), w.data(), y.data());
        if (pass == 2) R::conv2d_gradient_input(on, g, y.data(), w.data(), x.data());
        if (pass == 3) R::conv2d_gradient_weight(on, g, x.data(), y.data(), w.data());
        return on.memory().peak_bytes();
      };
      for (int pass = 0; pass < 4; ++pass)
        CHECK(run.operator()<B>(context, pass) == run.operator()<backend::DryRun<B>>(dry, pass));
    }
}

TEST_CASE("Large products are those of the Cpu, with the same bits for any number of threads",
          "[conformance]") {
  struct Case {
    Index m, n, k;
    bool a_transposed, b_transposed, accumulate;
  };
  for (Case const& c : {Case{64, 512, 256, false, true, false}, Case{531, 128, 256, false, false, true},
                        Case{128, 531, 256, true, false, true}, Case{512, 512, 96, true, true, false}}) {
    INFO(c.m << " " << c.n << " " << c.k);
    auto const a = numbers(c.m * c.k, 1), b = numbers(c.k * c.n, 2);
    // C lies in a wider matrix, whose other columns stay.
    auto const start = numbers(c.m * (c.n + 3), 3);
    auto const multiply = [&]<class R>(int threads) {
      std::vector<float> y = start;
      Gemm<float> const g{.m = c.m,
                          .n = c.n,
                          .k = c.k,
                          .a = {a.data(), c.a_transposed ? c.m : c.k, c.a_transposed},
                          .b = {b.data(), c.b_transposed ? c.k : c.n, c.b_transposed},
                          .c = {y.data(), c.n + 3},
                          .accumulate = c.accumulate};
      CHECK(backend::onednn::gemm_may_serve(g));
      typename R::Context context{{.threads = threads}};
      R::gemm(context, g);
      backend::DryContext dry{{.threads = threads}};
      backend::DryRun<R>::gemm(dry, g);
      CHECK(dry.memory().peak_bytes() == context.memory().peak_bytes());
      return y;
    };
    auto const expected = multiply.operator()<backend::Cpu<float>>(1);
    auto const one = multiply.operator()<B>(1);
    CHECK(multiply.operator()<B>(2) == one);
    CHECK(multiply.operator()<B>(4) == one);
    float worst = 0;
    for (std::size_t i = 0; i < one.size(); ++i) worst = std::max(worst, std::abs(one[i] - expected[i]));
    CHECK(worst < 1e-4F);
  }
}

TEST_CASE("An OneDnn program keeps the number of threads it gave OpenMP", "[conformance]") {
  auto const before = backend::onednn::openmp_threads();
  convolve(2, {4, 8, 8, 16, 16, 1, 1});
  CHECK(backend::onednn::openmp_threads() == before);
}

TEST_CASE("Errors of oneDNN name the operation and the shape", "[conformance]") {
  ConvGeometry const g{4, 8, 6, 3, 5, 3, 2};
  std::string message;
  try {
    backend::onednn::guarded("conv2d", g,
                             []() -> int { throw dnnl::error(dnnl_unimplemented, "no such thing"); });
  } catch (Error const& error) {
    message = error.what();
  }
  CHECK(message.find("conv2d") == 0);
  CHECK(message.find("(4, 8, 6, 3)") != std::string::npos);
  CHECK(message.find("no such thing") != std::string::npos);
}

}  // namespace diffsiam::test

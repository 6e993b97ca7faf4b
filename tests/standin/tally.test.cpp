// What the tally counts is what can be worked out by hand. This file is compiled so that each access to
// memory is a call (touches.cpp).
#include <tests/standin/device/device.hpp>
#include <tests/standin/device/tally.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::test {

namespace {

namespace cuda = backend::cuda;
using B = backend::Cuda<float>;

/// A card that moves 1000 bytes and multiplies 10 times in a second.
constexpr standin::Card slow{"slow", 1000, 10, 20, 40};

/// While it lives, work is counted instead of done.
class Counting {
 public:
  explicit Counting(B::Context& context) {
    context.synchronise();
    standin::device().tally = &tally;
  }
  Counting(Counting const&) = delete;
  Counting& operator=(Counting const&) = delete;
  ~Counting() { standin::device().tally = nullptr; }
  standin::Tally tally{slow};
};

/// to[i] = from[stride i] + from[stride i + 1].
struct AddPairs {
  struct Shared {};
  static constexpr bool synchronises = false;
  float const* from;
  float* to;
  Index stride;

  template <cuda::Lane L>
  void operator()(L& lane, Shared&) const {
    Index const i = lane.block() * cuda::block_threads + lane.thread();
    to[i] = from[stride * i] + from[stride * i + 1];
  }
};

}  // namespace

TEST_CASE("An element-wise sum reads both terms and writes the result", "[tally]") {
  B::Context context;
  constexpr Index size = 100 * 1024;  // more blocks than are stepped
  auto const a = Tensor<B>::filled(context, {size}, 1.0F), b = Tensor<B>::filled(context, {size}, 2.0F);
  Tensor<B> const y{context, {size}};
  Counting const counting{context};
  SampleGrid const all{1, 1, size};
  B::for_each(context, all.grid(), functional::LinearCombination<float>{1, 1}, all.full(y.data()),
              all.full(a.data()), all.full(b.data()));
  auto const counts = counting.tally.total();
  CHECK(counts.launches == 1);
  CHECK(counts.read == 8.0 * size);
  CHECK(counts.written == 4.0 * size);
  CHECK(counts.bound == Approx(12.0 * size / 1000));
}

TEST_CASE("A warp reads a whole sector for each value that lies apart, and once", "[tally]") {
  B::Context context;
  constexpr Index blocks = 30, threads = blocks * cuda::block_threads;
  Index const stride = GENERATE(2, 8, 32);
  auto const from = Tensor<B>::filled(context, {stride * threads}, 1.0F);
  Tensor<B> const to{context, {threads}};
  Counting const counting{context};
  cuda::Stream::launch(context, blocks, AddPairs{from.data(), to.data(), stride});
  auto const counts = counting.tally.total();
  CHECK(counts.read == (stride == 2 ? 8.0 : 32.0) * threads);
  CHECK(counts.written == 4.0 * threads);
}

TEST_CASE("Products and convolutions read each operand once", "[tally]") {
  B::Context context;
  auto const x = Tensor<B>::filled(context, {2, 8, 8, 16}, 1.0F),
             w = Tensor<B>::filled(context, {32, 3, 3, 16}, 1.0F);
  Tensor<B> const y{context, {2, 8, 8, 32}};
  ConvGeometry const g{2, 8, 8, 16, 32, 3, 1};
  auto const convolve = [&] { B::conv2d(context, g, x.data(), w.data(), nullptr, y.data()); };
  convolve();  // plans are timed
  Counting const counting{context};
  convolve();
  auto counts = counting.tally.total();
  CHECK(counts.launches == 1);
  CHECK(counts.read == 4.0 * (2 * 64 * 16 + 32 * 9 * 16));
  CHECK(counts.written == 4.0 * (2 * 64 * 32));
  double const operations = 2.0 * (2 * 64 * 32) * (9 * 16);
  CHECK(counts.operations == operations);
  CHECK(counts.bound == Approx(operations / 10));
  B::gemm(context, {.m = 6, .n = 5, .k = 7, .a = {x.data(), 7}, .b = {w.data(), 5}, .c = {y.data(), 5}});
  counts = counting.tally.total();
  CHECK(counts.launches == 2);
  CHECK(counts.read == 4.0 * (2 * 64 * 16 + 32 * 9 * 16 + 6 * 7 + 7 * 5));
  CHECK(counts.written == 4.0 * (2 * 64 * 32 + 6 * 5));
  CHECK(counts.operations == operations + 2.0 * 6 * 5 * 7);
}

TEST_CASE("A copy is counted as one, with its bytes read and written", "[tally]") {
  B::Context context;
  auto const from = Tensor<B>::filled(context, {1000}, 1.0F);
  Tensor<B> const to{context, {1000}};
  Counting const counting{context};
  B::copy(context, from.data(), to.data(), 1000);
  auto const counts = counting.tally.total();
  CHECK((counts.launches == 0 && counts.copies == 1));
  CHECK((counts.read == 4000 && counts.written == 4000));
}

}  // namespace diffsiam::test

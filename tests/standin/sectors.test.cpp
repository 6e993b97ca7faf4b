// Which bytes the Cuda backend's own kernels touch: every sector of 32 bytes that a warp reads or writes,
// counted on the stand-in. What warps of one block read again counts each time, so no cache is pretended.
#include <utility>

#include <tests/standin/device/device.hpp>
#include <tests/standin/device/tally.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/functional/activation.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::test {

namespace {

/// The bytes that `work` touches, for each one that it must read or write.
template <class Work>
double touched(double least, Work const& work) {
  standin::Tally tally{standin::cards[0]};
  standin::device().tally = &tally;
  work();
  standin::device().tally = nullptr;
  auto const total = tally.total();
  return (total.read + total.written) / least;
}

/// Tensors of `shape` in B's storage type.
template <class B>
Tensor<B> image(typename B::Context& context, Shape const& shape) {
  if constexpr (backend::MixedPrecision<B>)
    return Tensor<B>::low_precision(context, shape);
  else
    return Tensor<B>{context, shape};
}

/// A quarter more than the least is for tables that several warps read, partial sums, and sectors of which a
/// part is used.
constexpr double most = 1.25;

}  // namespace

TEMPLATE_TEST_CASE("GroupNorm reads an image twice and writes one, with whole sectors", "[sectors]", float,
                   BFloat16) {
  using B = backend::Cuda<TestType>;
  // The levels of a UNet for pictures of 64 x 64.
  auto const g = GENERATE(NormGeometry{128, 4096, 64, 32}, NormGeometry{128, 1024, 128, 32},
                          NormGeometry{128, 256, 256, 32}, NormGeometry{128, 64, 512, 32});
  CAPTURE(g.s, g.c);
  standin::device().restart();
  standin::device().memory.poisons = false;
  standin::device().memory.open();
  {
    typename B::Context context;
    Shape const images{g.n, g.s, g.c}, table{g.n, g.c};
    auto const x = image<B>(context, images), y = image<B>(context, images), dx = image<B>(context, images);
    Tensor<B> const gamma{context, {g.c}}, beta{context, {g.c}}, modulation{context, {g.n, 2 * g.c}};
    Tensor<B> const mean{context, table}, deviation{context, table}, scale{context, table};
    Tensor<B> const shift{context, table}, p_1{context, table}, p_2{context, table};
    double const bytes = static_cast<double>(images.size()) * sizeof(TestType);
    double const of_table = static_cast<double>(table.size()) * sizeof(float);
    // Four tables are written; scale and shift are read again, and the modulation once.
    double const forward = touched(3 * bytes + 8 * of_table, [&] {
      B::template group_norm<functional::Silu>(context, g,
                                               {.x = x.storage(),
                                                .gamma = gamma.data(),
                                                .beta = beta.data(),
                                                .modulation = modulation.data(),
                                                .epsilon = 1e-5,
                                                .y = y.storage(),
                                                .mean = mean.data(),
                                                .inverse_deviation = deviation.data(),
                                                .scale = scale.data(),
                                                .shift = shift.data()});
    });
    CHECK(forward < most);
    // Each of the two passes over images reads the four tables, and the second one two more. These, p_1 and
    // p_2 are written, and the scale of the modulation is read. A float32 gradient is added to.
    double const passes = backend::MixedPrecision<B> ? 5 : 6;
    double const backward = touched(passes * bytes + 15 * of_table, [&] {
      B::template group_norm_gradient<functional::Silu>(context, g,
                                                        {.x = x.storage(),
                                                         .gamma = gamma.data(),
                                                         .beta = beta.data(),
                                                         .modulation = modulation.data(),
                                                         .dy = y.storage(),
                                                         .mean = mean.data(),
                                                         .inverse_deviation = deviation.data(),
                                                         .scale = scale.data(),
                                                         .shift = shift.data(),
                                                         .dx = dx.storage(),
                                                         .p_1 = p_1.data(),
                                                         .p_2 = p_2.data()});
    });
    CHECK(backward < most);
  }
  standin::device().memory.close();
}

TEMPLATE_TEST_CASE("BatchNorm reads an image twice and writes one, with whole sectors", "[sectors]", float,
                   BFloat16) {
  using B = backend::Cuda<TestType>;
  // One sample that holds the batch: the first and the last stage of a ResNet10 for pictures of 64 x 64.
  auto const g = GENERATE(NormGeometry{1, 128 * 4096, 32, 32}, NormGeometry{1, 128 * 64, 256, 256});
  CAPTURE(g.s, g.c);
  standin::device().restart();
  standin::device().memory.poisons = false;
  standin::device().memory.open();
  {
    typename B::Context context;
    auto const x = image<B>(context, {g.s, g.c}), y = image<B>(context, {g.s, g.c});
    Tensor<B> const gamma{context, {g.c}}, beta{context, {g.c}}, tables{context, {5, g.c}};
    auto const table = [&](Index i) { return tables.data() + i * g.c; };
    CHECK(touched(3 * static_cast<double>(x.size()) * sizeof(TestType), [&] {
            B::batch_norm(context, g,
                          {.x = x.storage(),
                           .gamma = gamma.data(),
                           .beta = beta.data(),
                           .epsilon = 1e-5,
                           .y = y.storage(),
                           .mean = table(0),
                           .inverse_deviation = table(1),
                           .scale = table(2),
                           .shift = table(3)},
                          table(4));
          }) < most);
  }
  standin::device().memory.close();
}

TEMPLATE_TEST_CASE("A bias is added, and its gradient summed, with whole sectors", "[sectors]", float,
                   BFloat16) {
  using B = backend::Cuda<TestType>;
  Index const channels = GENERATE(64, 512);
  CAPTURE(channels);
  standin::device().restart();
  standin::device().memory.poisons = false;
  standin::device().memory.open();
  {
    typename B::Context context;
    SampleGrid const grid{1, 128 * 4096 * 8 / channels, channels};
    auto const y = image<B>(context, {grid.s, grid.c});
    Tensor<B> const bias{context, {grid.c}};
    double const bytes = static_cast<double>(grid.s * grid.c) * sizeof(TestType);
    CHECK(touched(2 * bytes, [&] {
            backend::cuda::add_bias<backend::cuda::Stream>(context, grid.s, grid.c,
                                                           std::as_const(bias).data(), y.storage());
          }) < most);
    CHECK(touched(bytes, [&] {
            B::sum(context, grid.grid(), functional::Itself{}, grid.per_channel(bias.data()),
                   grid.full(y.storage()));
          }) < most);
  }
  standin::device().memory.close();
}

}  // namespace diffsiam::test

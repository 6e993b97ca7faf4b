// The kernels of sums, biases and norms of gradients, without a GPU: sizes at which they are divided into
// chunks, and how many launches they take.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda/kernels/bias.hpp>
#include <diffsiam/backend/cuda/kernels/square_norms.hpp>
#include <diffsiam/backend/cuda/kernels/sum.hpp>
#include <diffsiam/core/half.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/testing/stepped_device.hpp>

namespace diffsiam::test {

namespace {

namespace cuda = backend::cuda;

/// A SteppedDevice that counts its launches.
struct Counted {
  struct Context : testing::SteppedContext {
    int launches = 0;
  };
  template <class Kernel>
  static void launch(Context& context, Index blocks, Kernel const& kernel) {
    ++context.launches;
    testing::SteppedDevice::launch(context, blocks, kernel);
  }
};

/// Memory that begins at a multiple of 32 bytes, as that of a device does, and `from` values later.
template <class X>
class Values {
 public:
  explicit Values(Index size, Index from = 0)
      : memory_(new(std::align_val_t{32}) X[static_cast<std::size_t>(size + from)]),
        size_(size),
        from_(from) {
    for (Index i = 0; i < size; ++i) data()[i] = X(std::sin(static_cast<float>(i % 1009)));
  }
  [[nodiscard]] X* data() const { return memory_.get() + from_; }
  [[nodiscard]] Index size() const { return size_; }
  [[nodiscard]] double at(Index i) const { return static_cast<double>(static_cast<float>(data()[i])); }

 private:
  struct Free {
    void operator()(X* memory) const { ::operator delete[](memory, std::align_val_t{32}); }
  };
  std::unique_ptr<X[], Free> memory_;
  Index size_, from_;
};

}  // namespace

TEMPLATE_TEST_CASE("The gradient of a bias is summed in chunks, and many chunks in one more launch", "",
                   float, BFloat16) {
  // Packs or, for odd channels and addresses, single values.
  auto const [channels, from, launches] =
      GENERATE(std::tuple{64, 0, 2}, std::tuple{64, 1, 2}, std::tuple{7, 0, 2}, std::tuple{2056, 0, 1});
  CAPTURE(channels, from);
  Index const positions = 128 * 1024 / channels;
  SampleGrid const grid{1, positions, channels};
  Values<TestType> const dy{positions * channels, from};
  std::vector<float> sums(static_cast<std::size_t>(channels), 0.5F);
  Counted::Context context;
  cuda::sum<Counted, float, TestType>(context, grid.grid(), functional::Itself{},
                                      grid.per_channel(sums.data()), grid.full(std::as_const(dy).data()));
  CHECK(context.launches == launches);
  double worst = 0;
  for (Index c = 0; c < channels; ++c) {
    double expected = 0.5;
    for (Index p = 0; p < positions; ++p) expected += dy.at(p * channels + c);
    worst = std::max(worst, std::abs(static_cast<double>(sums[static_cast<std::size_t>(c)]) - expected));
  }
  CHECK(worst < 1e-3);
}

TEMPLATE_TEST_CASE("A sum over the samples of a batch takes one launch, and adds in the order of chunks", "",
                   float, BFloat16) {
  // With packs, and single values that begin at an odd address.
  auto const [channels, from] = GENERATE(std::pair{512, 0}, std::pair{1024, 0}, std::pair{1536, 1});
  CAPTURE(channels, from);
  SampleGrid const grid{1, 128, channels};
  Values<TestType> const x{grid.s * grid.c, from};
  std::vector<float> sums(static_cast<std::size_t>(channels), 0.5F);
  Counted::Context context;
  cuda::sum<Counted, float, TestType>(context, grid.grid(), functional::Itself{},
                                      grid.per_channel(sums.data()), grid.full(std::as_const(x).data()));
  CHECK(context.launches == 1);
  // As two launches add: positions of a thread, then threads of a chunk, then chunks.
  cuda::ColumnWalk const walk{1, grid.s, grid.c, from == 0 ? cuda::widest_pack<TestType> : 1};
  CHECK(walk.chunks > 1);
  Index wrong = 0;
  for (Index c = 0; c < channels; ++c) {
    float all = 0;
    for (Index chunk = 0; chunk < walk.chunks; ++chunk) {
      float of_chunk = 0;
      for (Index row = 0; row < walk.rows; ++row) {
        float of_thread = 0;
        Index const stop = std::min((chunk + 1) * walk.chunk, grid.s);
        for (Index p = chunk * walk.chunk + row; p < stop; p += walk.rows)
          of_thread += static_cast<float>(x.data()[p * channels + c]);
        of_chunk += of_thread;
      }
      all += of_chunk;
    }
    wrong += sums[static_cast<std::size_t>(c)] == 0.5F + all ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("A long sum is divided into chunks of whole packs, and a sum of few terms is not") {
  auto const size = GENERATE(Index{16}, Index{1001}, Index{1024}, Index{8192}, Index{100001}, Index{200004});
  CAPTURE(size);
  Values<float> const x{size};
  float sum = 0.5F;
  Counted::Context context;
  cuda::sum<Counted, float, float>(context, {{1, 1, 1, 1, size}}, functional::Square{},
                                   Operand<float, 0>{&sum}, Operand<float, 1>{x.data()});
  double expected = 0.5;
  for (Index i = 0; i < size; ++i) expected += x.at(i) * x.at(i);
  CHECK(std::abs(static_cast<double>(sum) / expected - 1) < 1e-6);
  CHECK(context.launches == (size > 16384 ? 2 : 1));
}

TEMPLATE_TEST_CASE("A bias is added to every position, in packs or one by one", "", float, BFloat16) {
  auto const [channels, from] = GENERATE(std::pair{24, 0}, std::pair{24, 1}, std::pair{5, 0});
  CAPTURE(channels, from);
  Index const positions = 1201;
  Values<TestType> const y{positions * channels, from}, before{positions * channels, from};
  Values<float> const bias{channels};
  Counted::Context context;
  cuda::add_bias<Counted>(context, positions, channels, bias.data(), y.data());
  CHECK(context.launches == 1);
  Index wrong = 0;
  for (Index i = 0; i < y.size(); ++i) {
    auto const expected = TestType(static_cast<float>(before.data()[i]) + bias.data()[i % channels]);
    wrong += static_cast<float>(y.data()[i]) == static_cast<float>(expected) ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("The norms of 300 gradients take six launches") {
  std::vector<Values<float>> gradients;
  for (Index i = 0; i < 300; ++i) {
    // Some are longer than a chunk, some begin at an odd address, and a frozen one has no values.
    Index const size = i == 7 ? 30001 : i == 130 ? 0 : 1 + 37 * i % 800;
    gradients.emplace_back(size, i % 3 == 0 ? 1 : 0);
  }
  std::vector<TensorValues<float>> tensors;
  for (auto const& gradient : gradients) tensors.push_back({gradient.data(), gradient.size()});
  std::vector<float> squares(300, NAN);
  Counted::Context context;
  cuda::square_norms<Counted>(context, std::span<TensorValues<float> const>{tensors}, squares.data());
  CHECK(context.launches == 6);
  for (std::size_t i = 0; i < squares.size(); ++i) {
    double expected = 0;
    for (Index j = 0; j < gradients[i].size(); ++j) expected += gradients[i].at(j) * gradients[i].at(j);
    CHECK(std::abs(static_cast<double>(squares[i]) - expected) <= 1e-5 * expected);
  }
}

}  // namespace diffsiam::test

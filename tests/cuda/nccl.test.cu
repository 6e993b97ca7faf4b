// NCCL with one GPU: what a rank sends to itself. Several are for machines that have them.
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/backend/cuda/nccl.hpp>
#include <diffsiam/dist/data_parallel.hpp>
#include <diffsiam/dist/nccl.hpp>
#include <diffsiam/dist/single_process.hpp>
#include <diffsiam/nn/linear.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

using B = backend::Cuda<float>;

static_assert(dist::Communicator<dist::NcclRank<backend::cuda::Nccl>>);

TEST_CASE("NCCL moves device memory, and the process moves the rest", "[nccl]") {
  B::Context context;
  dist::SingleProcess process;
  backend::cuda::Nccl api{context.stream()};
  dist::NcclRank ranks{process, api};
  Tensor<B> const from = Tensor<B>::filled(context, {1000}, 3.0F), to{context, {1000}}, all{context, {1000}};
  auto first = ranks.start_all_to_all(from.data(), to.data(), 4000);
  auto second = ranks.start_all_gather(from.data(), all.data(), 4000);
  first.wait();
  second.wait();
  CHECK(to.values() == from.values());
  CHECK(all.values() == from.values());
  int const mine = 5;
  CHECK(dist::all_gather<int>(ranks, {&mine, 1}) == std::vector<int>{5});
  float on_host = 0;
  CHECK_THROWS_WITH(ranks.start_all_gather(from.data(), &on_host, 4),
                    contains("both ends of a transfer on the device"));
}

TEST_CASE("NCCL's transfers are recorded with the rest", "[nccl]") {
  B::Context context;
  dist::SingleProcess process;
  backend::cuda::Nccl api{context.stream()};
  dist::NcclRank ranks{process, api};
  Tensor<B> const from = Tensor<B>::filled(context, {1000}, 3.0F);
  Tensor<B> const to = Tensor<B>::zeros(context, {1000}), all = Tensor<B>::zeros(context, {1000});
  auto const exchange = [&] {
    ranks.start_all_to_all(from.data(), to.data(), 4000).wait();
    ranks.start_all_gather(to.data(), all.data(), 4000).wait();
  };
  exchange();  // connections are made by the first transfers
  auto const recording = context.record(nullptr, exchange);
  from.fill(4.0F);
  CHECK(all.values() == std::vector<float>(1000, 3.0F));
  recording.replay();
  CHECK(all.values() == from.values());
}

TEST_CASE("Batches are divided on a GPU", "[nccl]") {
  B::Context context;
  dist::SingleProcess process;
  backend::cuda::Nccl api{context.stream()};
  dist::NcclRank ranks{process, api};
  nn::Init<B> init{context, 1};
  nn::Linear<B> const linear{init, {.in = 3, .out = 2}};
  dist::DataParallel<B> division{ranks, nn::parameters(linear), {.pieces = 2}};
  auto const numbers = division.run([&](dist::Piece<B>& piece) {
    Tape<B> tape{context, {.joint = piece.joint, .gradients = piece.gradients}};
    auto const x = Tensor<B>::filled(context, {4, 3}, static_cast<float>(piece.number + 1));
    tape.backward(ops::sum(linear(tape.input(x))));
    piece.numbers = {static_cast<double>(piece.number)};
  });
  CHECK(numbers == std::vector<std::vector<double>>{{0}, {1}});
  // Of the weights: 4 samples of 1, and 4 of 2. Of the biases: 8 samples.
  auto const list = nn::parameters(linear).parameters;
  CHECK(list[0].parameter.gradient().values() == std::vector<float>(6, 12.0F));
  CHECK(list[1].parameter.gradient().values() == std::vector<float>(2, 8.0F));
}

}  // namespace diffsiam::test

// DryRun: the backend of traced values. A tensor of DryRun<B> has a shape and no data. Operations on it
// compute nothing, but their FLOPs and the bytes that B would allocate are counted. So a whole training step,
// tape and backward pass included, can be estimated by the code that will run it.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#include <diffsiam/concepts/declared_options.hpp>
#include <diffsiam/core/memory_pool.hpp>

namespace diffsiam::backend {

/// What was counted for one kind of operation.
struct OperationAccount {
  double flops = 0;       ///< additions and multiplications are counted separately
  Index evaluations = 0;  ///< how often it was evaluated
};

/// A context that counts instead of computing.
class DryContext {
 public:
  struct Options {
    int threads = 1;  ///< threads of the run that is estimated; workspaces grow with them
    /// allocate() throws std::bad_alloc after so many blocks: for sizes that come from a file.
    std::size_t most_blocks = std::numeric_limits<std::size_t>::max();
  };

  /// One thread, and as many blocks as are asked for.
  DryContext() : DryContext(Options{}) {}
  explicit DryContext(Options options)
      : memory_(std::make_shared<MemoryPool>(MemorySource::none())), options_(options) {}

  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes) {
    if (blocks_++ >= options_.most_blocks) throw std::bad_alloc{};
    return allocate_shared_block(memory_, bytes);
  }
  /// The pool that counts bytes and has no memory.
  [[nodiscard]] MemoryPool& memory() { return *memory_; }
  [[nodiscard]] int threads() const { return options_.threads; }

  void count(std::string_view operation, double flops) {
    OperationAccount& account = accounts_[std::string(operation)];
    account.flops += flops;
    account.evaluations += 1;
  }
  [[nodiscard]] std::map<std::string, OperationAccount> const& accounts() const& { return accounts_; }
  [[nodiscard]] std::map<std::string, OperationAccount> accounts() const&& { return accounts_; }
  /// The sum over all operations.
  [[nodiscard]] double flops() const {
    double sum = 0;
    for (auto const& [name, account] : accounts_) sum += account.flops;
    return sum;
  }

 private:
  std::shared_ptr<MemoryPool> memory_;
  Options options_;
  std::size_t blocks_ = 0;  ///< handed out since the beginning
  std::map<std::string, OperationAccount> accounts_;
};

/// The dry run of backend B: the same scalar type and workspaces, but nothing is computed.
template <class B>
struct DryRun {
  using Scalar = typename B::Scalar;
  using Context = DryContext;
  using Estimates = B;
  using Brings = Options<>;  // the options of B are looked up, and not declared again
  using Storage = StorageOf<B>;
  /// As B does.
  static constexpr bool keeps_cheap_values = KeepsCheapValues<B>;
  /// As B does.
  static constexpr bool adds_to_low_precision = AddsToLowPrecision<B>;
  /// What B reads from.
  using Read = ReadBy<B>;
  /// What B writes to.
  using Written = WrittenBy<B>;

  static void fill(Context&, Written const&, Index, Scalar) {}
  static void copy(Context&, Read const&, Written const&, Index) {}
  template <class S>
  static void upload(Context&, S const*, Scalar*, Index) {}
  template <class S>
  static void download(Context&, Scalar const*, S* to, Index size) {
    for (Index i = 0; i < size; ++i) to[i] = S{};
  }
  static void gemm(Context& context, Gemm<Scalar> const& product) {
    if constexpr (GemmWorkspace<B>)
      if (auto const bytes = B::gemm_workspace(product, context.threads())) use_workspace(context, bytes);
  }
  static void conv2d(Context& context, ConvGeometry const& g, Read const&, Scalar const*, Scalar const*,
                     Written const&) {
    if constexpr (Conv2dWorkspaces<B>) use_workspace(context, B::conv2d_workspace(g, context.threads()));
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, Read const&, Scalar const*,
                                    Written const&, Read const& = nullptr) {
    if constexpr (Conv2dWorkspaces<B>)
      use_workspace(context, B::conv2d_gradient_input_workspace(g, context.threads()));
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, Read const&, Read const&,
                                     Scalar*) {
    if constexpr (Conv2dWorkspaces<B>)
      use_workspace(context, B::conv2d_gradient_weight_workspace(g, context.threads()));
  }
  template <class Act>
    requires FusedGroupNorm<B, Act>
  static void group_norm(Context&, NormGeometry const&, NormForward<Scalar, Read, Written> const&) {}
  template <class Act>
    requires FusedGroupNorm<B, Act>
  static void group_norm_gradient(Context& context, NormGeometry const& g,
                                  NormBackward<Scalar, Read, Written> const&) {
    if constexpr (GroupNormWorkspace<B>)
      use_workspace(context, B::group_norm_gradient_workspace(g, context.threads()));
  }
  static void batch_norm(Context&, NormGeometry const&, NormForward<Scalar, Read, Written> const&, Scalar*)
    requires FusedBatchNorm<B>
  {}
  template <class F, class... O>
  static void for_each(Context&, Grid const&, F, O...) {}
  template <class F, class Out, class... O>
  static void sum(Context&, Grid const&, F, Out, O...) {}
  static void softmax(Context&, Index, Index, Scalar const*, Scalar*) {}
  static void log_softmax(Context&, Index, Index, Scalar const*, Scalar*) {}
  static void uniform(Context&, Rng const&, Scalar*, Index) {}
  static void normal(Context&, Rng const&, Scalar*, Index) {}

 private:
  static void use_workspace(Context& context, std::size_t bytes) {
    [[maybe_unused]] auto const workspace = context.allocate(bytes);
  }
};

}  // namespace diffsiam::backend

// Declared options: a backend lists its options, `using Brings = Options<Option::group_norm>;`. Without a
// list a misspelt function would not be found, and nobody would notice. So an option that is declared but not
// found does not compile, and the conformance suite refuses an option that is found but not declared.
#pragma once

#include <string_view>
#include <utility>

#include <diffsiam/concepts/backend_options.hpp>

namespace diffsiam::backend {

/// The options of a backend, by the names that backends declare.
enum class Option {
  gemm_with_bias,
  storage,
  group_norm,
  batch_norm,
  multi_tensor,
  recording,
  host_memory,
  gemm_workspace,
  conv2d_workspaces,
  group_norm_workspace,
  prepacked_weights,
  rounded_weights,
  observer,
};
/// The number of options; `observer` is the last one.
inline constexpr std::size_t option_count = static_cast<std::size_t>(Option::observer) + 1;

/// The name of the option as a backend writes it.
[[nodiscard]] constexpr std::string_view name_of(Option option) {
  switch (option) {
    case Option::gemm_with_bias:
      return "gemm_with_bias";
    case Option::storage:
      return "storage";
    case Option::group_norm:
      return "group_norm";
    case Option::batch_norm:
      return "batch_norm";
    case Option::multi_tensor:
      return "multi_tensor";
    case Option::recording:
      return "recording";
    case Option::host_memory:
      return "host_memory";
    case Option::gemm_workspace:
      return "gemm_workspace";
    case Option::conv2d_workspaces:
      return "conv2d_workspaces";
    case Option::group_norm_workspace:
      return "group_norm_workspace";
    case Option::prepacked_weights:
      return "prepacked_weights";
    case Option::rounded_weights:
      return "rounded_weights";
    case Option::observer:
      return "observer";
  }
  return "";
}

/// Whether B has the option `option`.
template <class B>
[[nodiscard]] consteval bool has(Option option) {
  switch (option) {
    case Option::gemm_with_bias:
      return GemmWithBias<B>;
    case Option::storage:
      return MixedPrecision<B>;
    case Option::group_norm:
      return FusedGroupNorm<B>;
    case Option::batch_norm:
      return FusedBatchNorm<B>;
    case Option::multi_tensor:
      return MultiTensor<B>;
    case Option::recording:
      return Recordable<B>;
    case Option::host_memory:
      return HostReadable<B>;
    case Option::gemm_workspace:
      return GemmWorkspace<B>;
    case Option::conv2d_workspaces:
      return Conv2dWorkspaces<B>;
    case Option::group_norm_workspace:
      return GroupNormWorkspace<B>;
    case Option::prepacked_weights:
      return PrepacksWeights<typename B::Context>;
    case Option::rounded_weights:
      return RoundsWeights<B>;
    case Option::observer:
      return Observable<typename B::Context>;
  }
  return false;
}

/// One declared option. If B does not have it, the compiler names it.
template <class B, Option option>
struct DeclaredOption {
  static_assert(
      has<B>(option),
      "A backend has each option that it declares: see concepts/backend_options.hpp for the names and "
      "arguments of its functions.");
  static constexpr bool found = true;  ///< so that naming the type checks the option
};

/// The list of options that a backend declares.
template <Option... options>
struct Options {
  /// These options, and `more`.
  template <Option... more>
  using With = Options<options..., more...>;
  /// Whether the list has the option.
  [[nodiscard]] static constexpr bool contains(Option option) { return ((option == options) || ...); }
  /// True if B has all of them; otherwise the compiler names one that it lacks.
  template <class B>
  static constexpr bool found_in = (DeclaredOption<B, options>::found && ...);
};

/// True if B has all options that it declares and those that mixed precision needs. Otherwise the compiler
/// says what is missing.
template <class B>
[[nodiscard]] consteval bool has_declared_options() {
  static_assert(!MixedPrecision<B> || FusedGroupNorm<B>,
                "A backend with a Storage needs group_norm<Act> and group_norm_gradient<Act> of its own.");
  return B::Brings::template found_in<B>;
}

}  // namespace diffsiam::backend

// Declared options: a backend names what it brings, `using Brings = Options<Option::group_norm>;`. Functions
// are used with or without that; but one that is misspelt would not be found, and nobody would notice. So
// what is declared and not found does not compile, and the conformance suite refuses what is found and not
// declared.
#pragma once

#include <string_view>
#include <utility>

#include <diffsiam/concepts/backend_options.hpp>

namespace diffsiam::backend {

enum class Option {
  gemm_with_bias,
  storage,
  group_norm,
  multi_tensor,
  recording,
  host_memory,
  gemm_workspace,
  conv2d_workspaces,
  group_norm_workspace,
  prepacked_weights,
  observer,
};
inline constexpr std::string_view option_names[]{
    "gemm_with_bias", "storage",        "group_norm",        "multi_tensor",         "recording",
    "host_memory",    "gemm_workspace", "conv2d_workspaces", "group_norm_workspace", "prepacked_weights",
    "observer"};

/// Whether B has the option `option`.
template <class B>
[[nodiscard]] consteval bool has(Option option) {
  using Context = typename B::Context;
  bool const found[]{GemmWithBias<B>,       MixedPrecision<B>,        FusedGroupNorm<B>,  MultiTensor<B>,
                     Recordable<B>,         HostReadable<B>,          GemmWorkspace<B>,   Conv2dWorkspaces<B>,
                     GroupNormWorkspace<B>, PrepacksWeights<Context>, Observable<Context>};
  return found[static_cast<std::size_t>(option)];
}

/// One option that B declares: the compiler names it where it is not found.
template <class B, Option option>
struct DeclaredOption {
  static_assert(
      has<B>(option),
      "A backend has each option that it declares: see concepts/backend_options.hpp for the names and "
      "arguments of its functions.");
  static constexpr bool found = true;
};

/// What a backend declares.
template <Option... options>
struct Options {
  template <Option... more>
  using With = Options<options..., more...>;
  [[nodiscard]] static constexpr bool contains(Option option) { return ((option == options) || ...); }
  template <class B>
  static constexpr bool found_in = (DeclaredOption<B, options>::found && ...);
};

/// True where B has what it declares, and what its mixed precision needs; the compiler says what is missing.
template <class B>
[[nodiscard]] consteval bool has_declared_options() {
  static_assert(!MixedPrecision<B> || FusedGroupNorm<B>,
                "A backend with a Storage needs group_norm<Act> and group_norm_gradient<Act> of its own.");
  return B::Brings::template found_in<B>;
}

}  // namespace diffsiam::backend

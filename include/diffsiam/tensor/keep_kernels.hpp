// keep_kernels: a promise that weights stay as they are, for inference.
#pragma once

#include <type_traits>

namespace diffsiam {

namespace detail {
struct NothingKept {};
}  // namespace detail

/// While the result lives, no weights that the context's operations read may be written or freed; backends
/// then rearrange them once and not at every call, which at batches of a few images makes inference several
/// times faster and costs up to 256 MiB. Samplers do so on their own. `auto const kept =
/// keep_kernels(context);`
template <class Context>
[[nodiscard]] auto keep_kernels(Context& context) {
  if constexpr (requires { context.kernels(); }) {
    return typename std::remove_reference_t<decltype(context.kernels())>::Scope{context.kernels()};
  } else {
    return detail::NothingKept{};
  }
}

}  // namespace diffsiam

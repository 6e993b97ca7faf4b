// keep_prepacked_weights: weights are rearranged (prepacked) once for many calls, for inference.
#pragma once

#include <type_traits>

#include <diffsiam/concepts/backend_options.hpp>

namespace diffsiam {

/// What is promised of the weights while prepacked ones are kept.
enum class WeightPromise {
  none,  ///< they are looked at before each use, which takes about as long as reading them
  stay   ///< none is written or freed, by nobody
};

namespace detail {
struct NothingKept {};
}  // namespace detail

/// While the result lives, backends keep weights as they rearranged them, instead of doing it at every call:
/// at batches of a few images inference becomes several times faster, for up to 256 MiB. Unless they are
/// promised to stay, weights may be written or freed meanwhile, by an optimizer or through any pointer: those
/// that have changed are rearranged anew. Samplers do so on their own. `auto const kept =
/// keep_prepacked_weights(context);`
template <class Context>
[[nodiscard]] auto keep_prepacked_weights(Context& context,
                                          [[maybe_unused]] WeightPromise promise = WeightPromise::none) {
  if constexpr (backend::PrepacksWeights<Context>) {
    auto& weights = context.prepacked_weights();
    return typename std::remove_reference_t<decltype(weights)>::Scope{weights, promise};
  } else {
    return detail::NothingKept{};
  }
}

}  // namespace diffsiam

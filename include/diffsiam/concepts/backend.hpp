// Backend: what a policy type must bring to carry the library, in six narrow groups. Everything else, from
// GroupNorm to attention, is composed of these; fused versions are optional and found by `requires`.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>

#include <diffsiam/core/normalisation.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/core/products.hpp>
#include <diffsiam/core/stored.hpp>
#include <diffsiam/core/strided.hpp>

namespace diffsiam::backend {

/// Satisfied if and only if B names its scalar type and a context that hands out shared memory.
template <class B>
concept Contextual = requires(typename B::Context& context, std::size_t bytes) {
  typename B::Scalar;
  { context.allocate(bytes) } -> std::same_as<std::shared_ptr<void>>;
};

/// Satisfied if and only if B names a type narrower than its scalar in which large activations and their
/// gradients may stay: B::Compact, not void. Optional. B then takes Stored<Scalar, Compact>
/// (Tensor::stored())
///   - in fill and copy, on either side;
///   - in for_each, for any operand; the first is written and, where it is compact, not read;
///   - in conv2d and its gradients, for x, y, dy and dx; in group_norm and its gradient likewise;
///   - in sum with Itself, for one operand of contiguous rows (the gradient of a bias).
/// Gradients that are compact are written, not added into. Elsewhere compact tensors are widened first.
/// Models: Cpu<float, BFloat16>, Cuda<BFloat16>, Cuda<Half>.
template <class B>
concept Compacting = Contextual<B> && requires { requires !std::is_void_v<typename B::Compact>; };

namespace detail {
template <class B>
struct CompactType {
  using Type = void;
};
template <Compacting B>
struct CompactType<B> {
  using Type = typename B::Compact;
};
}  // namespace detail

/// B::Compact, or void.
template <class B>
using CompactOf = typename detail::CompactType<B>::Type;

/// Values that B reads and that may be compact: pointers, or Stored where B has a compact type.
template <class B>
using ReadBy = std::conditional_t<Compacting<B>, Stored<typename B::Scalar const, CompactOf<B> const>,
                                  typename B::Scalar const*>;
/// The same of values that B writes.
template <class B>
using WrittenBy =
    std::conditional_t<Compacting<B>, Stored<typename B::Scalar, CompactOf<B>>, typename B::Scalar*>;

/// Satisfied if and only if values can be set, copied, and moved between the host and B.
template <class B>
concept Memory =
    Contextual<B> && requires(typename B::Context& context, typename B::Scalar* x, float* host, Index size) {
      B::fill(context, x, size, typename B::Scalar{});
      B::copy(context, x, x, size);
      B::upload(context, host, x, size);
      B::download(context, x, host, size);
    };

/// Satisfied if and only if B multiplies batches of row-major matrices (see Gemm).
template <class B>
concept Blas =
    Contextual<B> && requires(typename B::Context& context, Gemm<typename B::Scalar> const& product) {
      B::gemm(context, product);
    };

/// Satisfied if and only if B convolves in NHWC and knows both gradients, which add into what is there.
template <class B>
concept Conv = Contextual<B> &&
               requires(typename B::Context& context, ConvGeometry const& geometry, typename B::Scalar* x) {
                 B::conv2d(context, geometry, x, x, x, x);
                 B::conv2d_gradient_input(context, geometry, x, x, x);
                 B::conv2d_gradient_weight(context, geometry, x, x, x);
               };

/// Satisfied if and only if B adds a bias, one value a column of C, in a product that is neither accumulated
/// nor of a batch: C = alpha A B + bias. Optional: without it C starts as the bias.
template <class B>
concept BiasedGemm =
    Contextual<B> && requires(typename B::Context& context, Gemm<typename B::Scalar> const& product,
                              typename B::Scalar const* bias) { B::gemm_with_bias(context, product, bias); };

/// Satisfied if and only if B brings its own GroupNorm with activation Act, and its gradient:
/// void(Context&, NormGeometry const&, NormForward<Scalar, ReadBy<B>, WrittenBy<B>> const&), and NormBackward
/// alike, exactly so, for they are handed on as pointers. Optional: without it the operation is composed of
/// the other groups.
template <class B, class Act>
concept FusedGroupNorm = Contextual<B> && requires(typename B::Context& context, NormGeometry const& geometry,
                                                   typename B::Scalar* x) {
  B::template group_norm<Act>(context, geometry, {.x = x, .y = x});
  B::template group_norm_gradient<Act>(context, geometry, {.x = x, .dx = x});
};

/// A functor for the check below.
struct AnyFunctor {
  template <class... T>
  auto operator()(T&&... x) const {
    return (x + ...);
  }
};

/// Satisfied if and only if B applies a functor at every point of a grid.
template <class B>
concept Elementwise =
    Contextual<B> && requires(typename B::Context& context, Operand<typename B::Scalar, 1> x) {
      B::for_each(context, Grid{}, AnyFunctor{}, x, x);
    };

/// Satisfied if and only if B adds f(...) over a grid into its output, and takes the softmax of rows.
template <class B>
concept Reduce = Contextual<B> && requires(typename B::Context& context, Operand<typename B::Scalar, 1> x) {
  B::sum(context, Grid{}, AnyFunctor{}, x, x);
  B::softmax(context, Index{}, Index{}, x.data, x.data);
  B::log_softmax(context, Index{}, Index{}, x.data, x.data);
};

/// Satisfied if and only if B draws the library's Philox numbers.
template <class B>
concept Random = Contextual<B> && requires(typename B::Context& context, Rng rng, typename B::Scalar* x) {
  B::uniform(context, rng, x, Index{});
  B::normal(context, rng, x, Index{});
};

/// Satisfied if and only if B brings all six groups. Models: Reference, Cpu, OneDnn, DryRun.
template <class B>
concept Backend = Memory<B> && Blas<B> && Conv<B> && Elementwise<B> && Reduce<B> && Random<B>;

/// True for a Backend; for another type the compiler says in one sentence what to add.
template <class B>
[[nodiscard]] consteval bool complete() {
  static_assert(Contextual<B>, "A backend needs a Scalar, and a Context with allocate(bytes).");
  static_assert(Memory<B>, "A backend needs the Memory group: add fill, copy, upload and download.");
  static_assert(Blas<B>, "A backend needs the Blas group: add gemm.");
  static_assert(Conv<B>, "A backend needs the Conv group: add conv2d and its two gradients.");
  static_assert(Elementwise<B>, "A backend needs the Elementwise group: add for_each.");
  static_assert(Reduce<B>, "A backend needs the Reduce group: add sum, softmax and log_softmax.");
  static_assert(Random<B>, "A backend needs the Random group: add uniform and normal.");
  return Backend<B>;
}

}  // namespace diffsiam::backend

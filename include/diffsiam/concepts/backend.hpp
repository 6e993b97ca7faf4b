// Backend: the functions that a backend must have, in six small groups. Everything else, from GroupNorm to
// attention, is composed of them. Optional functions are listed in backend_options.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/core/products.hpp>
#include <diffsiam/core/strided.hpp>

namespace diffsiam::backend {

/// Satisfied if and only if B names its scalar type, its optional functions (Options<...> of
/// declared_options.hpp), and a context that allocates shared memory.
template <class B>
concept Contextual = requires(typename B::Context& context, std::size_t bytes) {
  typename B::Scalar;
  typename B::Brings;
  { context.allocate(bytes) } -> std::same_as<std::shared_ptr<void>>;
};

/// Satisfied if and only if B can set values, copy them, and move them between the host and B's memory.
template <class B>
concept Memory =
    Contextual<B> && requires(typename B::Context& context, typename B::Scalar* x, float* host, Index size) {
      B::fill(context, x, size, typename B::Scalar{});
      B::copy(context, x, x, size);
      B::upload(context, host, x, size);
      B::download(context, x, host, size);
    };

/// Satisfied if and only if B multiplies batches of row-major matrices (see Gemm in core/products.hpp).
template <class B>
concept Blas =
    Contextual<B> && requires(typename B::Context& context, Gemm<typename B::Scalar> const& product) {
      B::gemm(context, product);
    };

/// Satisfied if and only if B computes convolutions in NHWC and both of their gradients, which are added to
/// what is there.
template <class B>
concept Conv = Contextual<B> &&
               requires(typename B::Context& context, ConvGeometry const& geometry, typename B::Scalar* x) {
                 B::conv2d(context, geometry, x, x, x, x);
                 B::conv2d_gradient_input(context, geometry, x, x, x);
                 B::conv2d_gradient_weight(context, geometry, x, x, x);
               };

/// A functor for the concepts that check functions with a functor argument.
struct AnyFunctor {
  /// The sum of its arguments.
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

/// Satisfied if and only if B adds f(...) over a grid to its output, and computes the softmax of rows.
template <class B>
concept Reduce = Contextual<B> && requires(typename B::Context& context, Operand<typename B::Scalar, 1> x) {
  B::sum(context, Grid{}, AnyFunctor{}, x, x);
  B::softmax(context, Index{}, Index{}, x.data, x.data);
  B::log_softmax(context, Index{}, Index{}, x.data, x.data);
};

/// Satisfied if and only if B draws the random numbers of core/philox.hpp.
template <class B>
concept Random = Contextual<B> && requires(typename B::Context& context, Rng rng, typename B::Scalar* x) {
  B::uniform(context, rng, x, Index{});
  B::normal(context, rng, x, Index{});
};

/// Satisfied if and only if B has all six groups. Models: Reference, Cpu, OneDnn, Cuda, DryRun.
template <class B>
concept Backend = Memory<B> && Blas<B> && Conv<B> && Elementwise<B> && Reduce<B> && Random<B>;

/// True for a Backend. For any other type the compiler says in one sentence what to add.
template <class B>
[[nodiscard]] consteval bool complete() {
  static_assert(Contextual<B>, "A backend needs Scalar, Brings, and a Context with allocate(bytes).");
  static_assert(Memory<B>, "A backend needs the Memory group: add fill, copy, upload and download.");
  static_assert(Blas<B>, "A backend needs the Blas group: add gemm.");
  static_assert(Conv<B>, "A backend needs the Conv group: add conv2d and its two gradients.");
  static_assert(Elementwise<B>, "A backend needs the Elementwise group: add for_each.");
  static_assert(Reduce<B>, "A backend needs the Reduce group: add sum, softmax and log_softmax.");
  static_assert(Random<B>, "A backend needs the Random group: add uniform and normal.");
  return Backend<B>;
}

}  // namespace diffsiam::backend

// The options of a backend: functions that it may have beyond the six groups of backend.hpp. Each option is a
// concept whose comment says what happens without it. No other header looks for members of a backend or of
// its context.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

#include <diffsiam/concepts/backend.hpp>
#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/core/mixed_pointer.hpp>
#include <diffsiam/core/multi_tensor.hpp>
#include <diffsiam/core/norm.hpp>
#include <diffsiam/core/observer.hpp>

namespace diffsiam::backend {

/// Satisfied if and only if B adds a bias, one value for each column of C, in a product that neither
/// accumulates nor is a batch: C = alpha A B + bias. Without it, C is filled with the bias and the product is
/// added (composed/linear.hpp). Models: Cuda.
template <class B>
concept GemmWithBias =
    Contextual<B> && requires(typename B::Context& context, Gemm<typename B::Scalar> const& product,
                              typename B::Scalar const* bias) { B::gemm_with_bias(context, product, bias); };

/// Satisfied if and only if B names a storage dtype, B::Storage, that is narrower than its scalar. Large
/// activations and their gradients are then stored in low precision. Without it all tensors are in full
/// precision. B takes MixedPointer<Scalar, Storage> (Tensor::storage())
///   - in fill and copy, on either side;
///   - in for_each, for any operand; the first is written and, if in low precision, not read;
///   - in conv2d and its gradients, for x, y, dy and dx; in group_norm and its gradient, too;
///   - in sum with Itself, for one operand of contiguous rows (the gradient of a bias).
/// Gradients in low precision are overwritten, not added to. For other functions tensors are converted first.
/// Such a B must also have a FusedGroupNorm. Models: Cpu<float, BFloat16>, Cuda<BFloat16>, Cuda<Half>.
template <class B>
concept MixedPrecision =
    Contextual<B> && requires { requires !std::same_as<typename B::Storage, typename B::Scalar>; };

namespace detail {
template <class B>
struct StorageType {
  using Type = typename B::Scalar;
};
template <MixedPrecision B>
struct StorageType<B> {
  using Type = typename B::Storage;
};
}  // namespace detail

/// The narrowest type in which B stores values: B::Storage, or its scalar if there is none.
template <class B>
using StorageOf = typename detail::StorageType<B>::Type;

/// A pointer to values that B reads and that may be in low precision. A plain pointer if B has no mixed
/// precision.
template <class B>
using ReadBy =
    std::conditional_t<MixedPrecision<B>, MixedPointer<typename B::Scalar const, StorageOf<B> const>,
                       typename B::Scalar const*>;
/// The same for values that B writes.
template <class B>
using WrittenBy = std::conditional_t<MixedPrecision<B>, MixedPointer<typename B::Scalar, StorageOf<B>>,
                                     typename B::Scalar*>;

/// Satisfied if and only if B::adds_to_low_precision is true: where the gradient of an image in low precision
/// is added to an earlier one, B does it in the same pass, with one rounding. group_norm_gradient then takes
/// NormBackward::earlier, and conv2d_gradient_input a sixth argument, ReadBy<B>; either is null where there
/// is nothing to add. Without it the tape adds gradients afterwards. Models: Cuda<BFloat16>, Cuda<Half>.
template <class B>
concept AddsToLowPrecision = MixedPrecision<B> && requires { requires B::adds_to_low_precision; };

/// An activation for the concepts that check functions with an activation argument.
struct AnyActivation {};

/// Satisfied if and only if B has its own GroupNorm with activation Act, and its gradient: void(Context&,
/// NormGeometry const&, NormForward<Scalar, ReadBy<B>, WrittenBy<B>> const&), and the same with NormBackward.
/// The types must be exactly these, because pointers to the functions are taken. Without it both are composed
/// of the required functions (composed/group_norm.hpp). Models: Cpu, OneDnn, Cuda.
template <class B, class Act = AnyActivation>
concept FusedGroupNorm = Contextual<B> && requires(typename B::Context& context, NormGeometry const& geometry,
                                                   typename B::Scalar* x) {
  B::template group_norm<Act>(context, geometry, {.x = x, .y = x});
  B::template group_norm_gradient<Act>(context, geometry, {.x = x, .dx = x});
};

/// Satisfied if and only if B has its own BatchNorm in training mode: its GroupNorm of one sample, with a
/// group for each channel and no activation, that also writes the variance (c) without Bessel's correction.
/// The gradient is that of its GroupNorm. Images are then read and written as they are stored. Without it,
/// and of a batch in pieces, BatchNorm is composed of the required functions (composed/norm.hpp) in full
/// precision. Models: Cuda.
template <class B>
concept FusedBatchNorm = FusedGroupNorm<B> && requires(typename B::Context& context,
                                                       NormGeometry const& geometry, typename B::Scalar* x) {
  B::batch_norm(context, geometry, {.x = x, .y = x}, x);
};

/// Satisfied if and only if B rounds many weights in a few launches: while the result of round_weights lives,
/// in which they may not change, products and convolutions take the rounded ones. Without it weights are
/// rounded in each call. Models: Cuda<BFloat16>, Cuda<Half>.
template <class B>
concept RoundsWeights =
    MixedPrecision<B> &&
    requires(typename B::Context& context, std::span<TensorValues<typename B::Scalar> const> weights) {
      B::round_weights(context, weights);
    };

// The options MultiTensor and Recordable are in recording.hpp.

/// Satisfied if and only if B::host_memory is true: the host may read values in place. Without it values are
/// not checked (for example whether time-steps are in range), because a check would have to wait for the
/// device. Models: Reference, Cpu, OneDnn.
template <class B>
concept HostReadable = Contextual<B> && requires { requires B::host_memory; };

/// Satisfied if and only if B says how many bytes a call of gemm allocates with `threads` threads. Without it
/// a dry run counts no bytes for it. Models: OneDnn.
template <class B>
concept GemmWorkspace = Contextual<B> && requires(Gemm<typename B::Scalar> const& product, int threads) {
  { B::gemm_workspace(product, threads) } -> std::same_as<std::size_t>;
};
/// The same for the convolutions. Models: Cpu, OneDnn.
template <class B>
concept Conv2dWorkspaces = requires(ConvGeometry const& geometry, int threads) {
  { B::conv2d_workspace(geometry, threads) } -> std::same_as<std::size_t>;
  { B::conv2d_gradient_input_workspace(geometry, threads) } -> std::same_as<std::size_t>;
  { B::conv2d_gradient_weight_workspace(geometry, threads) } -> std::same_as<std::size_t>;
};
/// The same for group_norm_gradient. Models: Cpu, OneDnn.
template <class B>
concept GroupNormWorkspace = requires(NormGeometry const& geometry, int threads) {
  { B::group_norm_gradient_workspace(geometry, threads) } -> std::same_as<std::size_t>;
};

/// Satisfied if and only if the context keeps prepacked weights as long as a Scope of them lives. Without it
/// keep_prepacked_weights does nothing, and each call packs weights again. Models: HostContext.
template <class Context>
concept PrepacksWeights = requires(Context& context) {
  typename std::remove_cvref_t<decltype(context.prepacked_weights())>::Scope;
};

/// Satisfied if and only if the context may have an observer (null if there is none). Without it operations
/// are not reported to anyone. Models: HostContext, CudaContext.
template <class Context>
concept Observable = requires(Context& context) {
  { context.observer() } -> std::same_as<Observer*>;
};

/// Satisfied if and only if each thread has to call context.make_current() before it uses the context.
/// Without it any thread may use it, one at a time. Models: CudaContext.
template <class Context>
concept UsedWhenCurrent = requires(Context& context) { context.make_current(); };

/// Satisfied if and only if B::keeps_cheap_values is true: tapes of B keep what is cheap to compute, such as
/// the results of GroupNorm, because B would spend more on writing it a second time than it saves. Without it
/// tapes compute such values again in the backward pass, unless their options say otherwise. Models: Cuda.
template <class B>
concept KeepsCheapValues = requires { requires B::keeps_cheap_values; };

/// Satisfied if and only if B is the dry run of another backend: weights of B::Estimates take part as shapes,
/// and the context counts FLOPs. Without it weights and values must be of one backend, and nothing is
/// counted. Models: DryRun.
template <class B>
concept Estimating = requires(typename B::Context& context, std::string_view operation) {
  typename B::Estimates;
  context.count(operation, 1.0);
};

/// Satisfied if and only if B rounds operands before it multiplies. B::operand_tolerance > 0 is then the
/// allowed error of results, relative to the largest. Without it the conformance suite allows 1e-5 in float
/// and 1e-12 in double. Models: Cpu<float, BFloat16>, all Cuda except Cuda<float>.
template <class B>
concept RoundsOperands = requires { requires B::operand_tolerance > 0; };

/// Satisfied if and only if normal random numbers of B may differ from those of Reference by
/// B::normal_tolerance. Without it the conformance suite expects the same bits. Models: Cuda.
template <class B>
concept RoundsNormals = requires { requires B::normal_tolerance > 0; };

}  // namespace diffsiam::backend

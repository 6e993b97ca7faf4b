// MultiTensor and Recordable: the options of a backend for training steps that run on the device without
// waiting for the host.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include <diffsiam/concepts/backend.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/core/multi_tensor.hpp>

namespace diffsiam::backend {

/// Satisfied if and only if B updates many tensors in one launch (multi-tensor), by functors in its own
/// memory, and computes their squared norms and the scale of all gradients there. Without it an optimizer
/// updates one weight after the other, and a step cannot be recorded. Models: Cuda, testing::Stepped.
template <class B>
concept MultiTensor =
    Contextual<B> &&
    requires(typename B::Context& context, TensorChunk<typename B::Scalar, 2> const* chunks,
             AnyFunctor const* functor, StepReport<typename B::Scalar> const& report,
             GradientScale<typename B::Scalar>* scale,
             std::span<TensorValues<typename B::Scalar> const> tensors, typename B::Scalar* squares) {
      B::square_norms(context, tensors, squares);
      B::find_gradient_scale(context, report, scale);
      B::multi_tensor_apply(context, chunks, Index{}, functor, scale);
    };

/// Satisfied if and only if B is MultiTensor and
///   - context.record(rng_offset, work) records what `work` queues, without doing it, and replay() queues it.
///     Random numbers are then drawn *rng_offset steps after those recorded. While it records, what would
///     make the host wait is an Error. What is uploaded becomes a constant of the recording;
///     context.recording_state() counts it;
///   - B::PinnedBuffer{context, bytes} carries values between host and device while the host works on. wait()
///     returns its memory on the host, once the device has finished with it; send(to) and fetch(from) queue
///     the copies;
///   - B::StagingBuffer{context, bytes} has memory of the device, data(), which put(from) fills from the host
///     while earlier work still runs.
/// Without it every training step is run from the host. Models: Cuda, testing::Stepped.
template <class B>
concept Recordable =
    Backend<B> && MultiTensor<B> &&
    requires(typename B::Context& context, std::uint64_t const* rng_offset, FunctionRef<void()> work,
             typename B::PinnedBuffer& slot, typename B::StagingBuffer& inbox, void* device,
             void const* host) {
      context.record(rng_offset, work).replay();
      { context.recording_state().uploads() } -> std::same_as<std::uint64_t>;
      requires std::constructible_from<typename B::PinnedBuffer, typename B::Context&, std::size_t>;
      { slot.wait() } -> std::same_as<void*>;
      slot.send(device);
      slot.fetch(device);
      requires std::constructible_from<typename B::StagingBuffer, typename B::Context&, std::size_t>;
      { inbox.data() } -> std::same_as<void*>;
      inbox.put(host);
    };

}  // namespace diffsiam::backend

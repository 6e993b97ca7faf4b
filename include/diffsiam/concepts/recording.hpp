// MultiTensor and Recordable: the options of a backend by which a training step is done without the host in
// between.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include <diffsiam/concepts/backend.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/core/multi_tensor.hpp>

namespace diffsiam::backend {

/// Satisfied if and only if B updates many tensors in one launch (multi-tensor), by functors that lie in its
/// memory, and finds the scale of all gradients there. Without it an optimizer moves one weight after the
/// other, and a step cannot be recorded. Models: Cuda, testing::Stepped.
template <class B>
concept MultiTensor =
    Contextual<B> && requires(typename B::Context& context, TensorChunk<typename B::Scalar, 2> const* chunks,
                              AnyFunctor const* functor, StepReport<typename B::Scalar> const& report,
                              GradientScale<typename B::Scalar>* scale) {
      B::find_gradient_scale(context, report, scale);
      B::multi_tensor_apply(context, chunks, Index{}, functor, scale);
    };

/// Satisfied if and only if
///   - context.record(rng_offset, work) gives what `work` queues, not done but recorded, and replay() queues
///   it;
///     random numbers are then drawn *rng_offset steps after those recorded. What would make the host wait is
///     an Error meanwhile, and what is uploaded becomes a constant of the recording, which
///     context.recording_state() sums up;
///   - a B::PinnedBuffer{context, bytes} carries values between host and device beside the host's work:
///   wait() is
///     its memory on the host, once the device is done with it; send(to) and fetch(from) queue the copies;
///   - a B::StagingBuffer{context, bytes} has memory of the device, data(), that put(from) fills from the
///   host while
///     earlier work is still being done;
///   - B is MultiTensor.
/// Without it a training step is run anew each time.
/// Models: Cuda, testing::Stepped.
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

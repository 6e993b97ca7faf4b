// Stepped: a backend on the host that runs the kernels of the Cuda backend, for tests of their results and of
// recorded training steps. Products are computed by Reference; everything else by kernels.
#pragma once

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <diffsiam/backend/cuda/kernels/conv2d.hpp>
#include <diffsiam/backend/cuda/kernels/kernels.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/concepts/declared_options.hpp>
#include <diffsiam/testing/stepped_device.hpp>

namespace diffsiam::testing {

/// The PinnedBuffer of Stepped. Copies are done when they are queued.
class SteppedSlot {
 public:
  /// `bytes` of the host.
  SteppedSlot(SteppedContext& context, std::size_t bytes) : context_(&context), memory_(bytes) {}
  SteppedSlot(SteppedSlot const&) = delete;
  SteppedSlot& operator=(SteppedSlot const&) = delete;
  [[nodiscard]] void* wait() {
    context_->recording_state().require_done("PinnedBuffer::wait");
    return memory_.data();
  }
  void send(void* to) {
    context_->queue([=, this] { std::memcpy(to, memory_.data(), memory_.size()); });
  }
  void fetch(void const* from) {
    context_->queue([=, this] { std::memcpy(memory_.data(), from, memory_.size()); });
  }

 private:
  SteppedContext* context_;
  std::vector<unsigned char> memory_;
};

/// The StagingBuffer of Stepped.
class SteppedInbox {
 public:
  /// `bytes` of the context's memory.
  SteppedInbox(SteppedContext& context, std::size_t bytes)
      : context_(&context), bytes_(bytes), memory_(context.allocate(bytes)) {}
  [[nodiscard]] void* data() const { return memory_.get(); }
  void put(void const* from) {
    context_->recording_state().require_done("StagingBuffer::put");
    std::memcpy(memory_.get(), from, bytes_);
  }

 private:
  SteppedContext* context_;
  std::size_t bytes_;
  std::shared_ptr<void> memory_;
};

/// T is the scalar type; OwnKernels may also be MixedKernels (see stepped_mixed.hpp).
template <class T, class OwnKernels = backend::cuda::Kernels<T, SteppedDevice>>
struct Stepped : OwnKernels {
  /// What the kernels run on.
  using Device = SteppedDevice;
  using typename OwnKernels::Read;
  using typename OwnKernels::Written;
  using Context = SteppedContext;
  using PinnedBuffer = SteppedSlot;
  using StagingBuffer = SteppedInbox;
  using Brings = backend::Options<backend::Option::group_norm, backend::Option::batch_norm,
                                  backend::Option::multi_tensor, backend::Option::recording,
                                  backend::Option::prepacked_weights, backend::Option::observer>;

  static void copy(Context& context, T const* from, T* to, Index size) {
    context.queue([=] { std::copy_n(from, static_cast<std::size_t>(size), to); });
  }
  template <class S>
  static void upload(Context& context, S const* from, T* to, Index size) {
    context.recording_state().note_upload(from, static_cast<std::size_t>(size) * sizeof(S));
    backend::cuda::write_constants<Device>(context, from, to, size);
  }
  template <class S>
  static void download(Context& context, T const* from, S* to, Index size) {
    context.recording_state().require_done("download");
    std::transform(from, from + size, to, [](T value) { return static_cast<S>(value); });
  }
  static void gemm(Context& context, Gemm<T> const& g) {
    context.queue([&context, g] { backend::Reference<T>::gemm(context, g); });
  }
  static void conv2d(Context& context, ConvGeometry const& g, Read const& x, T const* w, T const* bias,
                     Written const& y) {
    backend::cuda::direct_conv2d<Device>(context, g, x, w, bias, y);
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, Read const& dy, T const* w,
                                    Written const& dx) {
    backend::cuda::direct_conv2d_gradient_input<Device>(context, g, dy, w, dx);
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, Read const& x, Read const& dy,
                                     T* dw) {
    backend::cuda::direct_conv2d_gradient_weight<Device>(context, g, x, dy, dw);
  }
};

static_assert(backend::Recordable<Stepped<float>>);

}  // namespace diffsiam::testing

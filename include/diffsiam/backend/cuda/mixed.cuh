// Mixed precision of the Cuda backend: activations and the operands of convolutions are BFloat16 or Half,
// everything else is float32.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include <diffsiam/backend/cuda/alignment.hpp>
#include <diffsiam/backend/cuda/conv_request.hpp>
#include <diffsiam/backend/cuda/cuda.cuh>
#include <diffsiam/backend/cuda/kernels/bias.hpp>
#include <diffsiam/backend/cuda/kernels/mixed.hpp>
#include <diffsiam/backend/cuda/kernels/round_values.hpp>
#include <diffsiam/backend/cuda/rounded_weights.hpp>
#include <diffsiam/core/half.hpp>

namespace diffsiam::backend {

namespace cuda {

/// C is BFloat16 or Half. Large activations and their gradients are stored as C; the operations decide which.
/// Convolutions and linear layers of tensors in low precision multiply operands in C and sum in float32;
/// their weights are rounded in each call. Products of tensors in full precision multiply in TF32, which
/// rounds like Half and has the range of float. Weights, their gradients, statistics, sums and everything
/// else are float32.
template <class C>
struct Mixed : OnDevice<MixedKernels<float, C, Stream>, Math::tf32> {
  using OwnKernels = MixedKernels<float, C, Stream>;
  using Base = OnDevice<OwnKernels, Math::tf32>;
  using typename Base::Context;
  using typename OwnKernels::Read;
  using typename OwnKernels::Written;
  using Brings = typename Base::Brings::template With<Option::storage, Option::rounded_weights>;
  /// The allowed error of results, relative to the largest one, compared with operands that are not rounded.
  static constexpr double operand_tolerance = 1e-2;
  static constexpr bool adds_to_low_precision = true;

  static void copy(Context& context, Read const& from, Written const& to, Index size) {
    if (is_low_precision(from) || is_low_precision(to)) return OwnKernels::copy(context, from, to, size);
    Base::copy(context, from.full, to.full, size);
  }

  /// While the result lives, products and convolutions use these weights as they were rounded now.
  [[nodiscard]] static RoundedWeights::Scope round_weights(Context& context,
                                                           std::span<TensorValues<float> const> weights) {
    auto const places = places_of_rounded(weights);
    auto memory = context.allocate(static_cast<std::size_t>(places.back()) * sizeof(C));
    auto* const to = static_cast<C*>(memory.get());
    round_values<Stream>(context, weights, places, to);
    RoundedWeights::Copies copies;
    for (std::size_t i = 0; i < weights.size(); ++i) copies[{weights[i].data, element}] = to + places[i];
    return {context.rounded_weights(), std::move(copies), std::move(memory)};
  }

  static void conv2d(Context& context, ConvGeometry const& g, Read const& x, float const* w,
                     float const* bias, Written const& y) {
    if (is_empty(g)) return;
    In<C> const image{context, x, images(g)}, weights = rounded(context, w, g.out * g.depth());
    TypedGemm const product{.m = outputs(g) / g.out,
                            .n = g.out,
                            .k = g.in,
                            .a = {image.data, element, g.in},
                            .b = {weights.data, element, g.in, true},
                            .c = matrix(y, g.out)};
    if (is_product(g) && Base::multiplied_with_bias(context, product, bias)) return;
    if (convolved_with_bias(context, g, {image.data, weights.data, nullptr, const_cast<float*>(bias)}, y))
      return;
    if (is_product(g)) {
      if (!multiplied(context, g, Pass::forward, y, product))
        return direct_conv2d<Stream>(context, g, x, w, bias, y);
    } else {
      Chosen const chosen = choose(context, g, Pass::forward, y);
      if (chosen.plan == nullptr) return direct_conv2d<Stream>(context, g, x, w, bias, y);
      overwrite(context, chosen, outputs(g), y,
                [&](void* to) { Base::run(context, *chosen.plan, {image.data, weights.data, to}); });
    }
    if (bias != nullptr) add_bias<Stream>(context, outputs(g) / g.out, g.out, bias, y);
  }
  /// `earlier` is null, or an image in low precision to which the gradient is added.
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, Read const& dy, float const* w,
                                    Written const& dx, Read const& earlier = nullptr) {
    if (is_empty(g)) return;
    In<C> const gradient{context, dy, outputs(g)}, weights = rounded(context, w, g.out * g.depth());
    if (is_product(g)) {
      TypedGemm const product{.m = outputs(g) / g.out,
                              .n = g.in,
                              .k = g.out,
                              .a = {gradient.data, element, g.out},
                              .b = {weights.data, element, g.in},
                              .c = matrix(dx, g.in),
                              .accumulate = !is_low_precision(dx)};
      if (is_low_precision(earlier) && Base::multiplied_onto(context, product, earlier.low)) return;
      if (!multiplied(context, g, Pass::gradient_input, dx, product))
        direct_conv2d_gradient_input<Stream>(context, g, dy, w, dx);
    } else if (Chosen const chosen = choose(context, g, Pass::gradient_input, dx); chosen.plan != nullptr) {
      auto const write = [&](void* to) {
        Base::run(context, *chosen.plan, {to, weights.data, gradient.data});
      };
      is_low_precision(dx) ? overwrite(context, chosen, images(g), dx, write)
                           : add(context, chosen, images(g), dx.full, write);
    } else {
      direct_conv2d_gradient_input<Stream>(context, g, dy, w, dx);
    }
    if (is_low_precision(earlier)) OwnKernels::add_to_low_precision(context, earlier, dx, images(g));
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, Read const& x, Read const& dy,
                                     float* dw) {
    if (is_empty(g)) return;
    if (is_product(g)) {
      In<C> const image{context, x, images(g)}, gradient{context, dy, outputs(g)};
      TypedGemm const product{.m = g.out,
                              .n = g.in,
                              .k = outputs(g) / g.out,
                              .a = {gradient.data, element, g.out, true},
                              .b = {image.data, element, g.in},
                              .c = {dw, Element::float32, g.in},
                              .accumulate = true};
      if (multiplied(context, g, Pass::gradient_weight, dw, product)) return;
      return direct_conv2d_gradient_weight<Stream>(context, g, x, dy, dw);
    }
    Chosen const chosen = choose(context, g, Pass::gradient_weight, dw);
    if (chosen.plan == nullptr) return direct_conv2d_gradient_weight<Stream>(context, g, x, dy, dw);
    if (chosen.plan->accumulates()) {
      In<C> const image{context, x, images(g)}, gradient{context, dy, outputs(g)};
      return Base::run(context, *chosen.plan, {image.data, dw, gradient.data, dw});
    }
    In<float> const image{context, x, images(g)}, gradient{context, dy, outputs(g)};
    add(context, chosen, g.out * g.depth(), dw,
        [&](void* to) { Base::run(context, *chosen.plan, {image.data, to, gradient.data}); });
  }

 private:
  static constexpr Element element = element_of<C>;

  [[nodiscard]] static Index images(ConvGeometry const& g) { return g.n * g.h * g.w * g.in; }
  [[nodiscard]] static Index outputs(ConvGeometry const& g) { return g.n * g.out_h() * g.out_w() * g.out; }
  [[nodiscard]] static TypedMatrix matrix(Written const& values, Index leading) {
    if (is_low_precision(values)) return {values.low, element, leading};
    return {values.full, Element::float32, leading};
  }
  [[nodiscard]] static Written in_memory(Element type, void* data) {
    if (type == element) return {nullptr, static_cast<C*>(data)};
    return static_cast<float*>(data);
  }

  /// An operand in T, which is C or float, aligned as cuDNN needs it: the values themselves, or a copy.
  template <class T>
  struct In {
    In(Context& context, Read const& values, Index size) : data(place(values)) {
      if (data != nullptr && alignment_of({data}) == 16) return;
      memory = context.allocate(static_cast<std::size_t>(size) * sizeof(T));
      data = static_cast<T*>(memory.get());
      copy(context, values, in_memory(element_of<T>, data), size);
    }
    explicit In(T* values) : data(values) {}
    std::shared_ptr<void> memory;
    T* data;

   private:
    [[nodiscard]] static T* place(Read const& values) {
      if constexpr (std::is_same_v<T, C>)
        return const_cast<C*>(values.low);
      else
        return const_cast<T*>(values.full);
    }
  };

  /// Weights in C: the copy of a Scope of round_weights, or a new one.
  [[nodiscard]] static In<C> rounded(Context& context, float const* w, Index size) {
    if (void* const copy = context.rounded_weights().find(w, element)) return In<C>{static_cast<C*>(copy)};
    return {context, w, size};
  }

  /// A convolution that adds its bias, `data.added`, in the same kernel. Returns false, and does nothing, if
  /// there is no bias or no plan that adds it.
  [[nodiscard]] static bool convolved_with_bias(Context& context, ConvGeometry const& g, ConvData data,
                                                Written const& y) {
    if (data.added == nullptr || alignment_of({data.added}) != 16) return false;
    auto& plan = context.convolution(mixed_requests(g, Pass::forward, y).with_bias(),
                                     "the bias is added in a pass of its own");
    data.y = is_low_precision(y) ? static_cast<void*>(y.low) : y.full;
    if (plan.exists()) Base::run(context, plan, data);
    return plan.exists();
  }

  /// A convolution that is a product, if cuBLASLt has an algorithm for it. Otherwise notes() says that own
  /// sums take its place.
  [[nodiscard]] static bool multiplied(Context& context, ConvGeometry const& g, Pass pass,
                                       Written const& wanted, TypedGemm const& product) {
    if (Base::multiplied(context, product)) return true;
    context.note(without_plan(mixed_requests(g, pass, wanted).best, "own direct sums serve, which are slow",
                              "cuBLASLt has no algorithm"));
    return false;
  }

  /// A plan and the type of its output; the plan is null if cuDNN has none.
  struct Chosen {
    Convolution* plan;
    Element output;
  };
  /// The best plan that cuDNN has, or otherwise the other.
  [[nodiscard]] static Chosen choose(Context& context, ConvGeometry const& g, Pass pass,
                                     Written const& wanted) {
    MixedRequests const requests = mixed_requests(g, pass, wanted);
    auto& best = context.convolution(requests.best, requests.instead);
    if (best.exists()) return {&best, output_of(requests.best)};
    if (!requests.other) return {nullptr, element};
    auto& other = context.convolution(*requests.other);
    return {other.exists() ? &other : nullptr, output_of(*requests.other)};
  }

  /// `into` = what `write` writes.
  template <class Write>
  static void overwrite(Context& context, Chosen const& chosen, Index size, Written const& into,
                        Write const& write) {
    if (is_low_precision(into)) return write(into.low);
    if (chosen.output == Element::float32) return write(into.full);
    auto const memory = context.allocate(static_cast<std::size_t>(size) * sizeof(C));
    write(memory.get());
    copy(context, in_memory(chosen.output, memory.get()), into, size);
  }
  /// into += what `write` writes to its own memory.
  template <class Write>
  static void add(Context& context, Chosen const& chosen, Index size, float* into, Write const& write) {
    auto const memory = context.allocate(static_cast<std::size_t>(size) * bytes_of(chosen.output));
    write(memory.get());
    SampleGrid const all{1, 1, size};
    Base::for_each(context, all.grid(), functional::Accumulate{}, all.full(Written{into}),
                   all.full(in_memory(chosen.output, memory.get())));
  }
};

}  // namespace cuda

/// Activations and operands have 8 bits of exponent and 7 bits of mantissa, and so the range of float.
template <>
struct Cuda<BFloat16> : cuda::Mixed<BFloat16> {};
/// Activations and operands have 5 bits of exponent and 10 bits of mantissa. This is finer, but values above
/// 65504 become infinite, so training should use train::StepConfig::loss_scaling.
template <>
struct Cuda<Half> : cuda::Mixed<Half> {};

static_assert(Recordable<Cuda<BFloat16>> && Recordable<Cuda<Half>>);

}  // namespace diffsiam::backend

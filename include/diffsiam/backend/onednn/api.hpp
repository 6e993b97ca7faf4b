// The few functions of oneDNN that are used, with one spelling for its releases 2 and 3. Release 3 constructs
// primitive descriptors directly; release 2 needs operation descriptors first.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include <diffsiam/core/products.hpp>

namespace diffsiam::backend::onednn {

using Descriptor = dnnl::memory::desc;

/// A convolution as oneDNN describes it. Activations stay in NHWC; oneDNN may choose the layout of weights.
struct ConvDescriptors {
  Descriptor x, w, bias, y;
  dnnl::memory::dims strides, padding;

  [[nodiscard]] static ConvDescriptors of(ConvGeometry const& g, bool with_bias,
                                          Descriptor const* chosen_weights) {
    using Tag = dnnl::memory::format_tag;
    constexpr auto type = dnnl::memory::data_type::f32;
    return {{{g.n, g.in, g.h, g.w}, type, Tag::nhwc},
            chosen_weights != nullptr ? *chosen_weights
                                      : Descriptor{{g.out, g.in, g.kernel, g.kernel}, type, Tag::any},
            with_bias ? Descriptor{{g.out}, type, Tag::x} : Descriptor{},
            {{g.n, g.out, g.out_h(), g.out_w()}, type, Tag::nhwc},
            {g.stride, g.stride},
            {g.padding(), g.padding()}};
  }
};

/// The layout of weights in this library.
[[nodiscard]] inline Descriptor plain_weights(ConvGeometry const& g) {
  return {{g.out, g.in, g.kernel, g.kernel}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ohwi};
}

/// Scratchpads are allocated by this library.
[[nodiscard]] inline dnnl::primitive_attr own_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

#if DNNL_VERSION_MAJOR >= 3

[[nodiscard]] inline dnnl::convolution_forward::primitive_desc forward(dnnl::engine const& engine,
                                                                       ConvDescriptors const& d) {
  return {engine,
          dnnl::prop_kind::forward_training,
          dnnl::algorithm::convolution_direct,
          d.x,
          d.w,
          d.bias,
          d.y,
          d.strides,
          d.padding,
          d.padding,
          own_scratchpad()};
}
[[nodiscard]] inline dnnl::convolution_backward_data::primitive_desc gradient_input(
    dnnl::engine const& engine, ConvDescriptors const& d,
    dnnl::convolution_forward::primitive_desc const& hint) {
  return {engine,    dnnl::algorithm::convolution_direct,
          d.x,       d.w,
          d.y,       d.strides,
          d.padding, d.padding,
          hint,      own_scratchpad()};
}
[[nodiscard]] inline dnnl::convolution_backward_weights::primitive_desc gradient_weight(
    dnnl::engine const& engine, ConvDescriptors const& d,
    dnnl::convolution_forward::primitive_desc const& hint) {
  return {engine,    dnnl::algorithm::convolution_direct,
          d.x,       d.w,
          d.y,       d.strides,
          d.padding, d.padding,
          hint,      own_scratchpad()};
}
[[nodiscard]] inline dnnl::matmul::primitive_desc product(dnnl::engine const& engine, Descriptor const& a,
                                                          Descriptor const& b, Descriptor const& c,
                                                          dnnl::primitive_attr const& attributes) {
  return {engine, a, b, c, attributes};
}

#else

[[nodiscard]] inline dnnl::convolution_forward::primitive_desc forward(dnnl::engine const& engine,
                                                                       ConvDescriptors const& d) {
  return {{dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, d.x, d.w, d.bias, d.y,
           d.strides, d.padding, d.padding},
          own_scratchpad(),
          engine};
}
[[nodiscard]] inline dnnl::convolution_backward_data::primitive_desc gradient_input(
    dnnl::engine const& engine, ConvDescriptors const& d,
    dnnl::convolution_forward::primitive_desc const& hint) {
  return {{dnnl::algorithm::convolution_direct, d.x, d.w, d.y, d.strides, d.padding, d.padding},
          own_scratchpad(),
          engine,
          hint};
}
[[nodiscard]] inline dnnl::convolution_backward_weights::primitive_desc gradient_weight(
    dnnl::engine const& engine, ConvDescriptors const& d,
    dnnl::convolution_forward::primitive_desc const& hint) {
  return {{dnnl::algorithm::convolution_direct, d.x, d.w, d.y, d.strides, d.padding, d.padding},
          own_scratchpad(),
          engine,
          hint};
}
[[nodiscard]] inline dnnl::matmul::primitive_desc product(dnnl::engine const& engine, Descriptor const& a,
                                                          Descriptor const& b, Descriptor const& c,
                                                          dnnl::primitive_attr const& attributes) {
  return {{a, b, c}, attributes, engine};
}

#endif

}  // namespace diffsiam::backend::onednn

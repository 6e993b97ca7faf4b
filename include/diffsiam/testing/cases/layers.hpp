// Cases for the layers and blocks of nn/.
#pragma once

#include <diffsiam/nn/attention.hpp>
#include <diffsiam/nn/batch_norm.hpp>
#include <diffsiam/nn/conv2d.hpp>
#include <diffsiam/nn/dropout.hpp>
#include <diffsiam/nn/group_norm.hpp>
#include <diffsiam/nn/linear.hpp>
#include <diffsiam/nn/res_block.hpp>
#include <diffsiam/nn/sequential.hpp>
#include <diffsiam/nn/time_embedding.hpp>
#include <diffsiam/testing/case.hpp>

namespace diffsiam::testing::cases {

/// The `make` of a module case, from a function of nn::Init:
/// built([]<class B>(nn::Init<B>& init) { return nn::Linear<B>(init, {.in = 3, .out = 4}); }).
template <class F>
[[nodiscard]] auto built(F f) {
  return [f]<class B>(typename B::Context& context) {
    nn::Init<B> init{context, 1};
    return f(init);
  };
}

/// Calls visit(case) for each layer.
template <class Visit>
void layers(Visit&& visit) {
  visit(module_case("Linear", {{3, 4}},
                    built([]<class B>(nn::Init<B>& i) { return nn::Linear<B>(i, {.in = 4, .out = 5}); })));
  visit(module_case("Conv2d", {{2, 4, 3, 2}},
                    built([]<class B>(nn::Init<B>& i) { return nn::Conv2d<B>(i, {.in = 2, .out = 3}); })));
  visit(module_case("Conv2d, zero, stride 2", {{2, 5, 4, 2}}, built([]<class B>(nn::Init<B>& i) {
                      return nn::Conv2d<B>(i, {.in = 2, .out = 3, .stride = 2, .zero = true});
                    })));
  visit(module_case("GroupNorm", {{2, 3, 2, 4}}, built([]<class B>(nn::Init<B>& i) {
                      return nn::GroupNorm<B>(i, {.channels = 4, .groups = 2});
                    })));
  visit(module_case("GroupNorm, modulated", {{2, 3, 2, 4}, {2, 8}}, built([]<class B>(nn::Init<B>& i) {
                      return nn::GroupNorm<B>(i, {.channels = 4, .groups = 2});
                    })));
  visit(module_case("LayerNorm", {{3, 6}},
                    built([]<class B>(nn::Init<B>& i) { return nn::LayerNorm<B>(i, {.channels = 6}); })));
  visit(module_case("BatchNorm", {{5, 3}},
                    built([]<class B>(nn::Init<B>& i) { return nn::BatchNorm<B>(i, {.channels = 3}); })));
  visit(module_case("Dropout", {{5, 7}}, []<class B>(typename B::Context&) { return nn::Dropout{0.4}; }));
  visit(module_case("SelfAttention", {{2, 3, 2, 8}}, built([]<class B>(nn::Init<B>& i) {
                      return nn::SelfAttention<B>(i, {.channels = 8, .heads = 2, .groups = 4});
                    })));
  visit(module_case("Sequential", {{4, 3}}, built([]<class B>(nn::Init<B>& i) {
                      return nn::Sequential(nn::Linear<B>(i, {.in = 3, .out = 6}), nn::ReluLayer{},
                                            nn::Linear<B>(i, {.in = 6, .out = 4}), nn::SiluLayer{},
                                            nn::Linear<B>(i, {.in = 4, .out = 2}));
                    })));
}

/// Calls visit(case) for conditionings and residual blocks.
template <class Visit>
void blocks(Visit&& visit) {
  visit(module_case("TimeModulation", {{3, 6}},
                    built([]<class B>(nn::Init<B>& i) { return nn::TimeModulation<B>(i, 6, 4); })));
  visit(module_case(
      "TimeEmbedding, a factor each", {{3, 6}}, {{Kind::time_steps, {3}}},
      built([]<class B>(nn::Init<B>& i) { return nn::TimeEmbedding<B>(i, {.dims = 4, .width = 6}); }),
      [](auto const& module, auto const& x, auto const& t) { return x * module(raised_to(t, x)); }));
  visit(module_case("ShiftModulation", {{3, 6}, {3, 6}},
                    built([]<class B>(nn::Init<B>& i) { return nn::ShiftModulation<B>(i, 6, 4); })));
  visit(module_case("ResBlock", {{2, 4, 2, 4}, {2, 6}}, built([]<class B>(nn::Init<B>& i) {
                      return nn::ResBlock<B>(i, {.in = 4, .out = 4, .embedding = 6, .groups = 2});
                    })));
  visit(module_case("ResBlock, half, wider, dropout", {{2, 4, 6, 4}, {2, 6}},
                    built([]<class B>(nn::Init<B>& i) {
                      return nn::ResBlock<B, nn::TimeModulation<B>>(i, {.in = 4,
                                                                        .out = 6,
                                                                        .embedding = 6,
                                                                        .groups = 2,
                                                                        .dropout = 0.2,
                                                                        .resample = nn::Resample::halve});
                    })));
  visit(module_case(
      "ResBlock, double, shifted", {{2, 2, 3, 6}, {2, 5}, {2, 5}}, built([]<class B>(nn::Init<B>& i) {
        return nn::ResBlock<B, nn::ShiftModulation<B>>(
            i, {.in = 6, .out = 4, .embedding = 5, .groups = 2, .resample = nn::Resample::twice});
      })));
}

}  // namespace diffsiam::testing::cases

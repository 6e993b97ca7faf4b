// A backbone that takes plain tensors alone cannot be trained.
// EXPECT EARLY: Backbone and head return the kind of value they take: make operator() a template that
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Reference<float>;

struct Backbone {
  using Backend = B;
  struct Config {};
  ds::nn::Linear<B> linear;

  Backbone(ds::nn::Init<B>& init, Config const&) : linear(init, {.in = 64, .out = 8}) {}
#ifdef TWIN
  template <ds::FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return linear(ds::ops::flatten(x));
  }
#else
  [[nodiscard]] ds::Tensor<B> operator()(ds::Tensor<B> const& x) const { return linear(ds::ops::flatten(x)); }
#endif
  template <class F>
  void for_each_child(F&& f) const {
    f(ds::nn::ChildName{"linear"}, linear);
  }
  [[nodiscard]] ds::Index features() const { return 8; }
  [[nodiscard]] ds::Index published_head() const { return 1; }
  [[nodiscard]] ds::PublishedLayout head_layout() const { return {}; }
};

auto train(ds::ModularEncoder<B, Backbone> const& encoder, ds::Tape<B>& tape, ds::Tensor<B> const& x) {
  return encoder(tape.input(x));
}

// A backbone that returns shapes and not features.
// EXPECT EARLY: A backbone returns the kind of value it takes: make operator() a template that returns auto.
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Reference<float>;

struct Backbone {
  using Backend = B;
  struct Config {};
  ds::nn::Linear<B> linear;

  Backbone(ds::nn::Init<B>& init, Config const&) : linear(init, {.in = 64, .out = 8}) {}
  template <ds::FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
#ifdef TWIN
    return linear(ds::ops::flatten(x));
#else
    return linear(ds::ops::flatten(x)).shape();
#endif
  }
  template <class F>
  void for_each_child(F&& f) const {
    f(ds::nn::ChildName{"linear"}, linear);
  }
  [[nodiscard]] ds::Index features() const { return 8; }
  [[nodiscard]] ds::Index published_head() const { return 1; }
  [[nodiscard]] ds::PublishedLayout head_layout() const { return {}; }
};

ds::ModularEncoder<B, Backbone> make(B::Context& context) {
  return {context, {}};
}

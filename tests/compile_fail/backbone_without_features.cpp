// A backbone that does not say how wide it is.
// EXPECT EARLY: A backbone says how many features it returns: add `Index features() const`.
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
    return linear(ds::ops::flatten(x));
  }
  template <class F>
  void for_each_child(F&& f) const {
    f(ds::nn::ChildName{"linear"}, linear);
  }
#ifdef TWIN
  [[nodiscard]] ds::Index features() const { return 8; }
#endif
  [[nodiscard]] ds::Index published_head() const { return 1; }
  [[nodiscard]] ds::PublishedLayout head_layout() const { return {}; }
};

ds::ModularEncoder<B, Backbone> make(B::Context& context) {
  return {context, {}};
}

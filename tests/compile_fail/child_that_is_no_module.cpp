// A child that does not name its own children.
// EXPECT EARLY: A child is a Parameter, a Buffer or a Module: add `template <class F> void
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Reference<float>;

struct Block {
  ds::nn::Linear<B> linear;
#ifdef TWIN
  template <class F>
  void for_each_child(F&& f) const {
    f(ds::nn::ChildName{"linear"}, linear);
  }
#endif
};

struct Model {
  using Backend = B;
  Block block;
  template <class F>
  void for_each_child(F&& f) const {
    f(ds::nn::ChildName{"block"}, block);
  }
};

auto all(Model const& model) {
  return ds::parameters(model);
}

// A model that does not name its children has no parameters to train.
// EXPECT EARLY: A module names its children: add `template <class F> void for_each_child(F&& f) const`.
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Reference<float>;

struct Model {
  using Backend = B;
  ds::nn::Linear<B> linear;
#ifdef TWIN
  template <class F>
  void for_each_child(F&& f) const {
    f(ds::nn::ChildName{"linear"}, linear);
  }
#endif
};

auto all(Model const& model) {
  return ds::parameters(model);
}

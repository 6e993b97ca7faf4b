// A head that is built from a width alone.
// EXPECT EARLY: A head is built from (nn::Init<B>&, Index features, TimestepPartition const&,
// PublishedLayout)
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Reference<float>;

struct Head {
  using Backend = B;
  ds::nn::Linear<B> linear;

#ifdef TWIN
  Head(ds::nn::Init<B>& init, ds::Index features, ds::TimestepPartition const&, ds::PublishedLayout)
#else
  Head(ds::nn::Init<B>& init, ds::Index features)
#endif
      : linear(init, {.in = features, .out = 64}) {
  }
  template <ds::FlowingValue X>
  [[nodiscard]] auto operator()(X const& features) const {
    return linear(features);
  }
  template <class F>
  void for_each_child(F&& f) const {
    f(ds::nn::ChildName{"linear"}, linear);
  }
};

ds::ModularEncoder<B, ds::encoder::ConvBackbone<B>, Head> make(B::Context& context) {
  return {context, {}};
}

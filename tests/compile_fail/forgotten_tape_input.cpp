// A model that meets a plain tensor returns one, and nothing was recorded.
// EXPECT EARLY: Tape::backward takes a value of its tape: give models tape.input(x) instead of x.
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Reference<float>;

void train(ds::UNet<B> const& unet, ds::Tensor<B> const& x, ds::Tensor<B> const& t, ds::Tape<B>& tape) {
#ifdef TWIN
  auto const loss = ds::ops::mean(unet(tape.input(x), t));
#else
  auto const loss = ds::ops::mean(unet(x, t));
#endif
  tape.backward(loss);
}

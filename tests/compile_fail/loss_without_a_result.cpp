// A loss function that returns nothing.
// EXPECT EARLY: A loss function returns a value of its tape
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/step.hpp>

namespace ds = diffsiam;
using B = ds::backend::Reference<float>;

void train(ds::nn::Linear<B> const& model, ds::Tensor<B> const& x) {
  ds::train::Adam<B> adam{ds::parameters(model), {.learning_rate = 1e-3}};
  ds::train::TrainStep step{adam};
  step([&](ds::Tape<B>& tape, ds::train::MicroBatch const&) {
    auto const loss = ds::ops::mean(model(tape.input(x)));
#ifdef TWIN
    return loss;
#endif
  });
}

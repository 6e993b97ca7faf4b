// A user's program on the installed library: it trains a layer, measures the result, and prints it as JSON.
#include <cstdio>
#include <string>
#include <vector>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/eval/spearman.hpp>
#include <diffsiam/io/json.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>
#include <diffsiam/train/adam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;

int main() {
  B::Context context;
  ds::nn::Init<B> init{context, 7};
  auto const x = ds::diffusion::normal<B>(context, {32, 4}, {.seed = 1});
  auto const target = ds::nn::Linear<B>{init, {.in = 4, .out = 1}}(x);
  ds::nn::Linear<B> const layer{init, {.in = 4, .out = 1}};
  ds::train::Adam<B> adam{ds::parameters(layer), {.learning_rate = 0.05}};
  for (int step = 0; step < 200; ++step) {
    ds::Tape<B> tape{context};
    tape.backward(ds::loss::MeanSquaredError{}(layer(tape.input(x)), target));
    adam.step();
  }
  std::vector<float> const a = layer(x).values(), b = target.values();
  double const r =
      ds::eval::spearman_r(std::vector<double>(a.begin(), a.end()), std::vector<double>(b.begin(), b.end()));
  std::puts(nlohmann::json{{"rank correlation", r}}.dump().c_str());
  return r > 0.99 ? 0 : 1;
}

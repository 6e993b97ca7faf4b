// Convolution: a planned convolution with its compiled primitives and their arguments. It is made once for
// each shape, so that a call allocates almost nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

#include <diffsiam/backend/onednn/plan.hpp>

namespace diffsiam::backend::onednn {

class Convolution {
 public:
  Convolution(dnnl::engine const& engine, ConvGeometry const& g, Pass pass, int threads)
      : plan_(engine, g, pass), weights_(engine, plan_) {
    Serial const serial;
    for (PieceDescriptor const& piece : plan_.pieces)
      sizes_.push_back({dnnl::primitive(piece.primitive.get()), {}});
    for (int worker = 0; worker < threads; ++worker) {
      streams_.emplace_back(engine);
      for (std::size_t i = 0; i < sizes_.size(); ++i)
        sizes_[i].arguments.push_back(arguments_of(engine, plan_.pieces[i]));
    }
  }

  void plan() const&& = delete;
  [[nodiscard]] Plan const& plan() const& { return plan_; }

  /// For the forward pass and the gradient of the input: passes (out, k, k, in) to oneDNN. If oneDNN needs
  /// another layout, the weights are copied to `packed`.
  void set_weights(float const* w, void* packed) {
    void* const given = const_cast<float*>(w);
    if (!plan_.reorders) return weights_.used.set_data_handle(given);
    Serial const serial;
    weights_.used.set_data_handle(packed);
    weights_.plain.set_data_handle(given);
    weights_.execute(streams_[0]);
  }
  void set_bias(float const* bias) { weights_.bias.set_data_handle(const_cast<float*>(bias)); }
  /// For the gradient of the weights: dw += `sum`, which is in the layout of oneDNN.
  void add_weights(void* sum, float* dw) {
    Serial const serial;
    weights_.used.set_data_handle(sum);
    weights_.plain.set_data_handle(dw);
    weights_.execute(streams_[0]);
  }

  /// Computes one piece on the calling thread. `x` and `y` are the input and output of the piece, or their
  /// gradients, as the pass needs them. `dw` is used only for the gradient of the weights.
  void run(Index piece, int worker, float const* x, float const* y, void* dw, void* scratchpad) {
    Serial const serial;
    auto const of_worker = static_cast<std::size_t>(worker);
    Size& size = sizes_[plan_.index(piece)];
    Arguments& arguments = size.arguments[of_worker];
    arguments.at(x_slot()).set_data_handle(const_cast<float*>(x));
    arguments.at(y_slot()).set_data_handle(const_cast<float*>(y));
    arguments.at(DNNL_ARG_SCRATCHPAD).set_data_handle(scratchpad);
    if (plan_.pass == Pass::gradient_weight) arguments.at(DNNL_ARG_DIFF_WEIGHTS).set_data_handle(dw);
    size.primitive.execute(streams_[of_worker], arguments);
    streams_[of_worker].wait();
  }

 private:
  using Arguments = std::unordered_map<int, dnnl::memory>;
  struct Size {
    dnnl::primitive primitive;
    std::vector<Arguments> arguments;  ///< one for each thread
  };

  /// The arguments that all threads share, and the reorder between the two layouts of the weights.
  struct Weights {
    dnnl::memory plain, used, bias;
    dnnl::primitive reorder;
    bool gradient;

    Weights(dnnl::engine const& engine, Plan const& plan)
        : plain(plain_weights(plan.cut.g), engine, DNNL_MEMORY_NONE),
          used(plan.pieces[0].weights, engine, DNNL_MEMORY_NONE),
          gradient(plan.pass == Pass::gradient_weight) {
      Serial const serial;
      if (plan.pass == Pass::forward_bias)
        bias = {{{plan.cut.g.out}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x},
                engine,
                DNNL_MEMORY_NONE};
      if (gradient) {
        dnnl::primitive_attr attributes;
        dnnl::post_ops adding;
        adding.append_sum();
        attributes.set_post_ops(adding);
        reorder = dnnl::reorder(used, plain, attributes);
      } else if (plan.reorders) {
        reorder = dnnl::reorder(plain, used);
      }
    }
    void execute(dnnl::stream const& stream) const {
      reorder.execute(stream,
                      {{DNNL_ARG_FROM, gradient ? used : plain}, {DNNL_ARG_TO, gradient ? plain : used}});
    }
  };

  [[nodiscard]] int x_slot() const {
    return plan_.pass == Pass::gradient_input ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC;
  }
  [[nodiscard]] int y_slot() const {
    return plan_.pass == Pass::gradient_input || plan_.pass == Pass::gradient_weight ? DNNL_ARG_DIFF_DST
                                                                                     : DNNL_ARG_DST;
  }
  [[nodiscard]] Arguments arguments_of(dnnl::engine const& engine, PieceDescriptor const& piece) const {
    auto const empty = [&](Descriptor const& d) { return dnnl::memory(d, engine, DNNL_MEMORY_NONE); };
    Arguments arguments{{x_slot(), empty(piece.x)},
                        {y_slot(), empty(piece.y)},
                        {DNNL_ARG_SCRATCHPAD, empty(piece.scratchpad)}};
    if (plan_.pass == Pass::gradient_weight)
      arguments.emplace(DNNL_ARG_DIFF_WEIGHTS, empty(piece.weights));
    else
      arguments.emplace(DNNL_ARG_WEIGHTS, weights_.used);
    if (plan_.pass == Pass::forward_bias) arguments.emplace(DNNL_ARG_BIAS, weights_.bias);
    return arguments;
  }

  Plan plan_;
  Weights weights_;
  std::vector<Size> sizes_;
  std::vector<dnnl::stream> streams_;
};

}  // namespace diffsiam::backend::onednn

// Product: a matrix product by oneDNN. It is divided along the longer side of C, by shape, into pieces of at
// most two sizes.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <diffsiam/backend/onednn/api.hpp>
#include <diffsiam/backend/onednn/guard.hpp>

namespace diffsiam::backend::onednn {

/// Everything on which the plan of a product depends.
using ProductKey = std::array<Index, 9>;
[[nodiscard]] inline ProductKey key_of(Gemm<float> const& g) {
  return {g.m, g.n, g.k, g.a.transposed, g.b.transposed, g.a.leading, g.b.leading, g.c.leading, g.accumulate};
}

/// How C is divided among pieces.
struct ProductCut {
  bool rows;  ///< whether rows of C are divided; otherwise its columns
  Index unit, units, pieces;

  explicit ProductCut(Gemm<float> const& g) : rows(g.m >= g.n) {
    Index const length = std::max(g.m, g.n);
    unit = length % 16 == 0 ? 16 : 1;  // whole vectors if possible
    units = length / unit;
    pieces = std::clamp<Index>(length / 64, 1, 16);
  }
  [[nodiscard]] Index first(Index piece) const { return piece * units / pieces * unit; }
  [[nodiscard]] Index size(Index piece) const { return first(piece + 1) - first(piece); }
  [[nodiscard]] Index smaller() const { return units / pieces * unit; }
  [[nodiscard]] std::vector<Index> sizes() const {
    if (units % pieces == 0) return {smaller()};
    return {smaller(), smaller() + unit};
  }
};

/// The descriptors of a product, as for convolutions.
struct ProductPlan {
  ProductCut cut;
  std::vector<dnnl::matmul::primitive_desc> pieces;

  ProductPlan(dnnl::engine const& engine, Gemm<float> const& g) : cut(g) {
    Serial const serial;
    dnnl::primitive_attr attributes = own_scratchpad();
    if (g.accumulate) {
      dnnl::post_ops adding;
      adding.append_sum();
      attributes.set_post_ops(adding);
    }
    for (Index const size : cut.sizes()) {
      Index const m = cut.rows ? size : g.m, n = cut.rows ? g.n : size;
      pieces.push_back(
          product(engine, matrix(m, g.k, g.a), matrix(g.k, n, g.b), matrix(m, n, g.c), attributes));
    }
  }
  /// Whether oneDNN computes all pieces by its batch-reduce kernels. Its other implementation, for small
  /// products, allocates memory in every call and is not faster than the Cpu backend.
  [[nodiscard]] bool serves() const {
    return std::all_of(pieces.begin(), pieces.end(), [](auto const& piece) {
      return std::string_view(piece.impl_info_str()).substr(0, 3) == "brg";
    });
  }
  [[nodiscard]] std::size_t scratchpad_bytes() const {
    std::size_t most = 0;
    for (auto const& piece : pieces) most = std::max(most, piece.scratchpad_desc().get_size());
    return (most + 63) / 64 * 64;
  }

 private:
  template <class T>
  [[nodiscard]] static Descriptor matrix(Index rows, Index columns, MatrixView<T> const& view) {
    using Dims = dnnl::memory::dims;
    return {{rows, columns},
            dnnl::memory::data_type::f32,
            view.transposed ? Dims{1, view.leading} : Dims{view.leading, 1}};
  }
};

/// A planned product. It is compiled only if the plan serves.
class Product {
 public:
  Product(dnnl::engine const& engine, Gemm<float> const& g, int threads) : plan_(engine, g) {
    if (!plan_.serves()) return;
    Serial const serial;
    auto const empty = [&](Descriptor const& d) { return dnnl::memory(d, engine, DNNL_MEMORY_NONE); };
    for (auto const& piece : plan_.pieces) sizes_.push_back({dnnl::matmul(piece), {}});
    for (int worker = 0; worker < threads; ++worker) {
      streams_.emplace_back(engine);
      for (std::size_t i = 0; i < sizes_.size(); ++i) {
        auto const& piece = plan_.pieces[i];
        sizes_[i].arguments.push_back({{DNNL_ARG_SRC, empty(piece.src_desc())},
                                       {DNNL_ARG_WEIGHTS, empty(piece.weights_desc())},
                                       {DNNL_ARG_DST, empty(piece.dst_desc())},
                                       {DNNL_ARG_SCRATCHPAD, empty(piece.scratchpad_desc())}});
      }
    }
  }

  void plan() const&& = delete;
  [[nodiscard]] ProductPlan const& plan() const& { return plan_; }

  /// Computes one piece of g on the calling thread. The memory of g may differ from that of the planned
  /// product.
  void run(Gemm<float> const& g, Index piece, int worker, void* scratchpad) {
    Serial const serial;
    ProductCut const& cut = plan_.cut;
    auto const of_worker = static_cast<std::size_t>(worker);
    Size& size = sizes_[cut.size(piece) == cut.smaller() ? 0 : 1];
    auto& arguments = size.arguments[of_worker];
    Index const down = cut.rows ? cut.first(piece) : 0, right = cut.rows ? 0 : cut.first(piece);
    arguments.at(DNNL_ARG_SRC)
        .set_data_handle(const_cast<float*>(g.a.data + (g.a.transposed ? down : down * g.a.leading)));
    arguments.at(DNNL_ARG_WEIGHTS)
        .set_data_handle(const_cast<float*>(g.b.data + (g.b.transposed ? right * g.b.leading : right)));
    arguments.at(DNNL_ARG_DST).set_data_handle(g.c.data + down * g.c.leading + right);
    arguments.at(DNNL_ARG_SCRATCHPAD).set_data_handle(scratchpad);
    size.primitive.execute(streams_[of_worker], arguments);
    streams_[of_worker].wait();
  }

 private:
  struct Size {
    dnnl::matmul primitive;
    std::vector<std::unordered_map<int, dnnl::memory>> arguments;  ///< one for each thread
  };

  ProductPlan plan_;
  std::vector<Size> sizes_;
  std::vector<dnnl::stream> streams_;
};

}  // namespace diffsiam::backend::onednn

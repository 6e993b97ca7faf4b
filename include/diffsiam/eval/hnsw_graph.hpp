// The graph of hnswlib, with the distances of this library. An inside of HnswIndex.
#pragma once

#ifndef NO_MANUAL_VECTORIZATION
// Without the macro, hnswlib's header defines functions that are not inline. Two files that include it do not
// link then.
#error "hnswlib needs the macro NO_MANUAL_VECTORIZATION: link diffsiam::hnsw, or define it for all files"
#endif

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <hnswlib/hnswlib.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/metric.hpp>

namespace diffsiam::eval::detail {

/// Calls f() and converts the exceptions of hnswlib into errors of this library.
template <class F>
decltype(auto) in_hnswlib(std::string_view operation, F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (Error const&) {
    throw;
  } catch (std::runtime_error const& error) {
    if (std::string_view{error.what()}.starts_with("Not enough memory")) throw std::bad_alloc();
    fail<ConfigError>(operation, "work that hnswlib can do", error.what());
  }
}

/// The distance of two rows: minus their inner product for cosine (rows of length 1), the squared distance
/// otherwise. hnswlib only compares distances, so they may be negative.
class HnswSpace final : public hnswlib::SpaceInterface<float> {
 public:
  HnswSpace(Metric metric, std::size_t dims) : metric_(metric), dims_(dims) {}

  std::size_t get_data_size() override { return dims_ * sizeof(float); }
  hnswlib::DISTFUNC<float> get_dist_func() override {
    return metric_ == Metric::cosine ? minus_product : squares;
  }
  void* get_dist_func_param() override { return &dims_; }

 private:
  static float minus_product(void const* a, void const* b, void const* dims) {
    return -inner_product(static_cast<float const*>(a), static_cast<float const*>(b),
                          *static_cast<std::size_t const*>(dims));
  }
  static float squares(void const* a, void const* b, void const* dims) {
    return squared_distance(static_cast<float const*>(a), static_cast<float const*>(b),
                            *static_cast<std::size_t const*>(dims));
  }

  Metric metric_;
  std::size_t dims_;
};

/// What cannot change after a graph was made.
struct HnswShape {
  Metric metric;
  std::size_t dims;
  std::size_t count;
  std::size_t m;
  std::size_t ef_construction;
};

/// hnswlib counts vectors with an int.
inline constexpr std::size_t most_hnsw_vectors = std::numeric_limits<std::int32_t>::max();

/// A graph with room for `count` vectors, empty at first. It cannot move, because `links` refers to `space`.
struct HnswGraph {
  HnswShape shape;
  HnswSpace space;
  hnswlib::HierarchicalNSW<float> links;

  HnswGraph(HnswShape const& of, std::uint64_t seed)
      : shape(of), space(of.metric, of.dims), links(&space, of.count, of.m, of.ef_construction, seed) {}
  HnswGraph(HnswGraph const&) = delete;
  HnswGraph& operator=(HnswGraph const&) = delete;

  /// The distance between `from` and vector i.
  [[nodiscard]] float distance(float const* from, std::size_t i) const {
    return links.fstdistfunc_(from, links.getDataByInternalId(static_cast<hnswlib::tableint>(i)),
                              links.dist_func_param_);
  }
};

[[nodiscard]] inline std::unique_ptr<HnswGraph> make_hnsw_graph(std::string_view operation,
                                                                HnswShape const& shape, std::uint64_t seed) {
  return in_hnswlib(operation, [&] { return std::make_unique<HnswGraph>(shape, seed); });
}

}  // namespace diffsiam::eval::detail

// Serial and guarded: they make oneDNN use one thread, because the library has its own threads, and turn its
// errors into those of the library.
#pragma once

#include <string>
#include <string_view>

#include <oneapi/dnnl/dnnl.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/products.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/text.hpp>

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
#if __has_include(<omp.h>)
#include <omp.h>
#else  // clang without its OpenMP, so nothing else can have declared these
extern "C" {
int omp_get_max_threads();
void omp_set_num_threads(int);
}
#endif
#endif

namespace diffsiam::backend::onednn {

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
/// The number of OpenMP threads of the calling thread; OpenMP keeps one for each thread.
[[nodiscard]] inline int openmp_threads() {
  return omp_get_max_threads();
}
inline void set_openmp_threads(int threads) {
  omp_set_num_threads(threads);
}
#else
[[nodiscard]] inline int openmp_threads() {
  return 1;
}
inline void set_openmp_threads(int) {}
#endif

/// While it lives, oneDNN makes and runs primitives with one thread, the calling one. Then the calling thread
/// gets its number of OpenMP threads back.
class Serial {
 public:
  Serial() : before_(openmp_threads()) {
    if (before_ != 1) set_openmp_threads(1);
  }
  Serial(Serial const&) = delete;
  Serial& operator=(Serial const&) = delete;
  ~Serial() {
    if (before_ != 1) set_openmp_threads(before_);
  }

 private:
  int before_;
};

[[nodiscard]] inline std::string describe_shape(ConvGeometry const& g) {
  return text({to_string(Shape{g.n, g.h, g.w, g.in}), " by kernel ",
               to_string(Shape{g.out, g.kernel, g.kernel, g.in}), " at stride ", g.stride});
}

[[nodiscard]] inline std::string describe_shape(Gemm<float> const& g) {
  return text({to_string(Shape{g.m, g.k}), " by ", to_string(Shape{g.k, g.n})});
}

/// Returns f(), and turns errors of oneDNN into Error. All calls of oneDNN go through this function.
template <class Shape, class F>
auto guarded(std::string_view operation, Shape const& g, F const& f) {
  try {
    return f();
  } catch (dnnl::error const& error) {
    fail<Error>(operation, {"oneDNN to compute ", describe_shape(g)},
                {error.what(), " (status ", static_cast<int>(error.status), ")"},
                "the Cpu backend needs no oneDNN");
  }
}

}  // namespace diffsiam::backend::onednn

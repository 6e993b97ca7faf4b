// A backend declares an option and misspells its function: it is refused at its first tensor.
// EXPECT: A backend has each option that it declares: see concepts/backend_options.hpp for the names
// EXPECT: Option::gemm_with_bias
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/tensor/tensor.hpp>

#ifdef TWIN
#define WITH_BIAS gemm_with_bias
#else
#define WITH_BIAS gemm_with_bais
#endif

struct Misspelt : diffsiam::backend::Reference<float> {
  using Brings = diffsiam::backend::Options<diffsiam::backend::Option::gemm_with_bias>;
  static void WITH_BIAS(Context&, diffsiam::Gemm<float> const&, float const*) {}
};

int main() {
  Misspelt::Context context;
  (void)diffsiam::Tensor<Misspelt>::zeros(context, {2});
}

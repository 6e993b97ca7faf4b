#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>

namespace diffsiam::test {

TEST_CASE("The Cpu backend with bfloat16 operands conforms to the reference", "[conformance]") {
  conforms<backend::Cpu<float, BFloat16>>({{"conv2d_workspace", "conv2d_gradient_input_workspace",
                                            "conv2d_gradient_weight_workspace", "group_norm"}});
}

}  // namespace diffsiam::test

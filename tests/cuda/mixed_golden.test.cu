// The stored cases of an independent implementation, in bfloat16 on the device.
#include <filesystem>

#include <tests/golden/check_case.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>

namespace diffsiam::test {

TEST_CASE("Networks in bfloat16 on the device give the values of an independent implementation",
          "[golden][bf16]") {
  for (auto const& entry : std::filesystem::directory_iterator{DIFFSIAM_TEST_DATA}) {
    if (entry.path().extension() != ".safetensors") continue;
    golden::File const file{entry.path()};
    if (file.name() == "sampling") continue;  // ten steps of random weights amplify any rounding
    golden::Report report{golden::Tolerances::of_bfloat16()};
    golden::check_case<backend::Cuda<BFloat16>>(file, report);
    file.require_all_used();
    INFO(file.name() << ": " << report.summary());
    CHECK(report.passed());
  }
}

}  // namespace diffsiam::test

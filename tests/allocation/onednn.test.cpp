#include <tests/allocation/steps.hpp>

#include <diffsiam/backend/onednn.hpp>
#include <diffsiam/compiled/onednn_float.hpp>

namespace diffsiam::test {

TEST_CASE("From the third step on nothing above 1 KiB is allocated by OneDnn") {
  check_steps<backend::OneDnn<float>>();
}

}  // namespace diffsiam::test

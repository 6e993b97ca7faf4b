// cuDNN has a plan for every convolution of both benchmark configurations, in all precisions of the backend,
// on devices that are described and not there.
#include <string>
#include <vector>

#include <tests/cudnn/asked.hpp>
#include <tests/cudnn/device.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda/conv_graph.hpp>

namespace diffsiam::test {

using namespace backend::cuda;

namespace {

/// All requests of both configurations, at the batches of the benchmarks on a GPU.
template <class Request>
[[nodiscard]] std::vector<Request> of_both(std::vector<Request> (*asked)(std::string const&, Index)) {
  std::vector<Request> result = asked("fashion", 64), more = asked("celeba64", 128);
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

/// A sentence for each request without a plan, and how many requests there are.
struct Verdict {
  std::vector<std::string> missing;
  int asked = 0;
};

[[nodiscard]] bool has_plan(DnnDescriptor const& device, ConvRequest const& request) {
  return !conv_plans({.properties = device.get()}, request, false).empty();
}

[[nodiscard]] Verdict in_float32(DnnDescriptor const& device, Math math) {
  Verdict verdict;
  static auto const requests = of_both(&asked_in_float32);
  for (ConvRequest request : requests) {
    ++verdict.asked;
    request.math = math;
    if (!has_plan(device, request)) verdict.missing.push_back(without_plan(request, "direct sums serve"));
  }
  return verdict;
}

[[nodiscard]] ConvRequest in(Element element, ConvRequest request) {
  for (Element* const each : {&request.x, &request.w, &request.y})
    if (*each == Element::bfloat16) *each = element;
  return request;
}
/// What takes the place of the best request may cost time, but must not round to 16 bits.
[[nodiscard]] Verdict in_16_bits(DnnDescriptor const& device, Element element) {
  Verdict verdict;
  static auto const all = of_both(&asked_in_bfloat16);
  for (MixedRequests const& requests : all) {
    ++verdict.asked;
    ConvRequest const best = in(element, requests.best);
    bool const served = has_plan(device, best) || (requests.other && !requests.other->in_16_bits() &&
                                                   has_plan(device, *requests.other));
    // A product is asked of cuDNN only for the sake of its bias.
    if (!served && !is_product(best.g)) verdict.missing.push_back(without_plan(best, requests.instead));
    if (best.pass != Pass::forward) continue;
    ConvRequest const with_bias = in(element, requests.with_bias());
    if (!has_plan(device, with_bias))
      verdict.missing.push_back(without_plan(with_bias, "the bias is added in a pass of its own"));
  }
  return verdict;
}

void check(Verdict const& verdict) {
  CHECK(verdict.asked > 100);
  CHECK(verdict.missing == std::vector<std::string>{});
}

/// In all precisions of the backend.
void check_all(Device const& device) {
  auto const properties = properties_of(device);
  for (Math const math : {Math::float32, Math::tf32}) check(in_float32(properties, math));
  for (Element const element : {Element::bfloat16, Element::float16}) check(in_16_bits(properties, element));
}

}  // namespace

// A test each, so that ctest may run them side by side.
TEST_CASE("cuDNN has a plan for every convolution on Ampere", "[ampere]") {
  check_all(ampere());
}
TEST_CASE("cuDNN has a plan for every convolution on Hopper", "[hopper]") {
  check_all(hopper());
}
TEST_CASE("cuDNN has a plan for every convolution on Blackwell", "[blackwell]") {
  check_all(blackwell());
}

TEST_CASE("What cuDNN refuses is found out", "[choice]") {
  auto const properties = properties_of(hopper());
  DnnTarget const target{.properties = properties.get()};
  ConvRequest request{{128, 64, 64, 64, 64, 3, 1}, Pass::gradient_weight, Math::tf32,
                      Element::bfloat16,           Element::float32,      Element::bfloat16};
  CHECK(conv_plans(target, request, false).empty());
  request.accumulates = true;
  CHECK_FALSE(conv_plans(target, request, false).empty());
}

TEST_CASE("Plans of float32 come behind dozens for tensor cores, and twelve are kept", "[choice]") {
  auto const properties = properties_of(hopper());
  DnnTarget const target{.properties = properties.get()};
  ConvRequest request{{128, 64, 64, 64, 64, 3, 1}};
  CHECK_FALSE(conv_plans(target, request, false).empty());
  request.math = Math::tf32;
  CHECK(conv_plans(target, request, false).size() == 12);
}

}  // namespace diffsiam::test

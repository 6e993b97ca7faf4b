// What the networks of a benchmark configuration ask of cuDNN in one training step.
#pragma once

#include <string>
#include <vector>

#include <diffsiam/backend/cuda/conv_request.hpp>

namespace diffsiam::test {

/// Each request once, in the order of keys, for a batch of `batch` pictures: forward, and both gradients.
/// `config` is fashion or celeba64.
[[nodiscard]] std::vector<backend::cuda::ConvRequest> asked_in_float32(std::string const& config,
                                                                       Index batch);
/// The same of the backend in bfloat16.
[[nodiscard]] std::vector<backend::cuda::MixedRequests> asked_in_bfloat16(std::string const& config,
                                                                          Index batch);

}  // namespace diffsiam::test

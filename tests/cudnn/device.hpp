// A device as cuDNN sees it, for machines that have none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <diffsiam/backend/cuda/dnn_descriptor.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam::test {

/// The releases of cuDNN whose answers were read, as cudnnGetVersion() has them. The keys of `properties_of`
/// are cuDNN's own and may change with its release, and so may its plans.
inline constexpr std::size_t known_cudnn[] = {91900};

/// To be compared with the properties that a device itself reports, as soon as there is one.
struct Device {
  std::string_view name;
  int compute_capability;  ///< 900 is 9.0
  int processors;
  std::int64_t memory, l2_cache;  ///< bytes
  int clock, memory_clock;        ///< kHz
  int shared_memory;              ///< the most bytes of a block
  int threads, blocks;            ///< the most of a multiprocessor
};

// A device of each generation that the backend is compiled for; the last is the newest.
inline constexpr std::int64_t mib = 1 << 20;
[[nodiscard]] constexpr Device ampere() {
  return {"NVIDIA A100-SXM4-80GB", 800, 108, 81920 * mib, 40 * mib, 1410000, 1593000, 166912, 2048, 32};
}
[[nodiscard]] constexpr Device hopper() {
  return {"NVIDIA H100 80GB HBM3", 900, 132, 81920 * mib, 50 * mib, 1980000, 2619000, 232448, 2048, 32};
}
[[nodiscard]] constexpr Device blackwell() {
  return {"NVIDIA GeForce RTX 5090", 1200, 170, 32768 * mib, 96 * mib, 2407000, 14001000, 101376, 1536, 24};
}

/// The device as a CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR. Throws DeviceError if cuDNN does not know it.
[[nodiscard]] inline backend::cuda::DnnDescriptor properties_of(Device const& device) {
  std::string const json = text({R"({"cudnnVersion":)",
                                 cudnnGetVersion(),
                                 R"(,"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64])",
                                 R"(,"regsPerBlock":65536,"multiProcessorCount":)",
                                 device.processors,
                                 R"(,"warpSize":32,"maxSharedMemoryPerBlock":49152)",
                                 R"(,"maxSharedMemoryPerBlockOptin":)",
                                 device.shared_memory,
                                 R"(,"reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536)",
                                 R"(,"maxCtasPerSM":)",
                                 device.blocks,
                                 R"(,"maxThreadsPerBlock":1024,"maxThreadsPerSM":)",
                                 device.threads,
                                 R"(,"pciDeviceId":0,"isTccDriver":0,"supportCoopLaunch":1)",
                                 R"(,"totalGlobalMem":)",
                                 device.memory,
                                 R"(,"smClockRateKHz":)",
                                 device.clock,
                                 R"(,"memClockRateKHz":)",
                                 device.memory_clock,
                                 R"(,"l2CacheSize":)",
                                 device.l2_cache,
                                 R"(,"cudaDeviceId":0,"deviceVer":)",
                                 device.compute_capability,
                                 R"(,"driverVer":13000,"deviceName":")",
                                 device.name,
                                 R"("})"});
  backend::cuda::DnnDescriptor result{CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR};
  result.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, std::string_view{json});
  result.finalize("properties of a device");
  return result;
}

}  // namespace diffsiam::test

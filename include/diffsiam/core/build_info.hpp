// How a program was built and where it runs: the first thing to write into a bug report.
#pragma once

#include <string>
#include <thread>

#include <diffsiam/config.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/core/version.hpp>

namespace diffsiam {

/// What build_info() returns.
struct BuildInfo {
  std::string version;          ///< of the library, "0.1.0"
  std::string compiler;         ///< "g++ 12.2.0"
  long standard = 0;            ///< of C++: 202002 or later
  std::string instruction_set;  ///< the widest that the compiler may use, "AVX-512"; not what the machine has
  std::string backends;         ///< those that are linked, "reference, cpu, onednn"
  unsigned threads = 0;         ///< that the machine runs at once; 0 if it does not say
};

/// How the file was compiled that asks. Files of one program may differ, so each has a function of its own.
///
///     std::puts(ds::to_text(ds::build_info()).c_str());
[[nodiscard]] static inline BuildInfo build_info() {
  return {.version = version(),
          .compiler = DIFFSIAM_COMPILER,
          .standard = __cplusplus,
          .instruction_set = DIFFSIAM_INSTRUCTION_SET,
          .backends = DIFFSIAM_BACKENDS,
          .threads = std::thread::hardware_concurrency()};
}

/// One line: "diffsiam 0.1.0 (g++ 12.2.0, C++ 202002, AVX2; backends: reference, cpu; 2 threads)".
[[nodiscard]] inline std::string to_text(BuildInfo const& info) {
  return text({"diffsiam ", info.version, " (", info.compiler, ", C++ ", info.standard, ", ",
               info.instruction_set, "; backends: ", info.backends, "; ", info.threads, " threads)"});
}

}  // namespace diffsiam

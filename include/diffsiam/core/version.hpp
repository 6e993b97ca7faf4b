// The version of the library, as text.
#pragma once

#include <string>

#include <diffsiam/config.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam {

/// "0.1.0".
[[nodiscard]] inline std::string version() {
  return text({DIFFSIAM_VERSION_MAJOR, ".", DIFFSIAM_VERSION_MINOR, ".", DIFFSIAM_VERSION_PATCH});
}

}  // namespace diffsiam

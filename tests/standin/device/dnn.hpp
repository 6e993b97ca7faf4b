// What the stand-in's cuDNN can do; tests choose it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace diffsiam::standin {

struct DnnAbilities {
  bool convolves = true;                ///< otherwise there is no plan for anything
  bool widens = true;                   ///< plans that read 16 bits and write float32
  std::vector<std::string> executions;  ///< name of the engine of each execution, in order
};
[[nodiscard]] DnnAbilities& dnn();

}  // namespace diffsiam::standin

// The traced reading: a tensor of a dry run. Shapes, FLOPs and bytes are computed by the same code that runs
// the model.
#pragma once

#include <map>
#include <string>

#include <diffsiam/backend/dry/dry_run.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam {

/// A value of backend B with a shape and no data.
template <class B>
using Traced = Tensor<backend::DryRun<B>>;

/// The cost of a computation, as estimate() returns it.
struct Estimate {
  double flops = 0;               ///< additions and multiplications are counted separately
  std::size_t peak_bytes = 0;     ///< the largest sum of live tensors and workspaces, as in MemoryPool
  std::size_t touched_bytes = 0;  ///< the same with the gaps between blocks, as in MemoryPool::touched_bytes
  std::map<std::string, backend::OperationAccount> operations;  ///< by the name of the operation
};

/// Runs f(context) without computing anything, and returns its cost. In f, use tensors and tapes of
/// backend::DryRun<B>; weights of B take part as shapes. `threads` is the number of threads of the run that
/// is estimated.
template <class F>
[[nodiscard]] Estimate estimate(F&& f, int threads = 1) {
  backend::DryContext context{{.threads = threads}};
  f(context);
  return {context.flops(), context.memory().peak_bytes(), context.memory().touched_bytes(),
          context.accounts()};
}

}  // namespace diffsiam

// The traced reading: a tensor of a dry run. Shapes, FLOPs and bytes flow through the very code that will
// compute.
#pragma once

#include <map>
#include <string>

#include <diffsiam/backend/dry/dry_run.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam {

/// A value of backend B with a shape and no data.
template <class B>
using Traced = Tensor<backend::DryRun<B>>;

/// What some computation will cost.
struct Estimate {
  double flops = 0;               ///< additions and multiplications apart; a gradient counts once an operand
  std::size_t peak_bytes = 0;     ///< greatest sum of live tensors and workspaces, as MemoryPool counts them
  std::size_t touched_bytes = 0;  ///< the same with the gaps between blocks: MemoryPool::touched_bytes
  std::map<std::string, backend::OperationAccount> operations;
};

/// Runs f(context) without computing. Inside, use tensors and tapes of backend::DryRun<B>; weights of B flow
/// in as shapes. `threads` are those of the run to be estimated.
template <class F>
[[nodiscard]] Estimate estimate(F&& f, int threads = 1) {
  backend::DryContext context{{.threads = threads}};
  f(context);
  return {context.flops(), context.memory().peak_bytes(), context.memory().touched_bytes(),
          context.accounts()};
}

}  // namespace diffsiam

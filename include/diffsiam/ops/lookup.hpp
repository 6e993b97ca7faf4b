// lookup: takes one coefficient of a noise schedule for each sample, by its time-step.
#pragma once

#include <span>
#include <string>

#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/lookup.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::ops {

/// Throws RangeError unless every time-step of t (n) is an integer in [0, timesteps). Values are not checked
/// if the host cannot read them in place, because it would have to wait for the device.
template <class B>
void require_timesteps(std::string_view operation, Tensor<B> const& t, Index timesteps) {
  require_rank(operation, 1, t.shape(), "(n) time-steps");
  for (auto const value : t.host_values()) {
    auto const step = static_cast<double>(value);
    if (!(step >= 0 && step < static_cast<double>(timesteps)) ||
        step != static_cast<double>(static_cast<Index>(step))) {
      fail<RangeError>(operation, {"integer time-steps in [0, ", timesteps, ")"}, step);
    }
  }
}

/// table[t[i]] for each i: t (n) -> (n). Throws RangeError as require_timesteps does. The table is in double
/// precision, as those of schedules are.
template <class B>
[[nodiscard]] Tensor<B> lookup(std::span<double const> table, Tensor<B> const& t) {
  require_timesteps("lookup", t, static_cast<Index>(table.size()));
  auto& context = t.context();
  Tensor<B> const entries{context, {static_cast<Index>(table.size())}};
  entries.assign(table);
  Tensor<B> result{context, t.shape()};
  for_each_element(functional::Lookup<typename B::Scalar>{entries.data()}, result, t);
  return result;
}

}  // namespace diffsiam::ops

// Timing and memory of repeated work, and the one JSON line about it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/profile.hpp>
#include <diffsiam/nn/module.hpp>

#include "options.hpp"
#include "stopwatch.hpp"

namespace bench {

using Json = nlohmann::ordered_json;

/// A line of /proc/self/status in bytes; 0 where there is none.
[[nodiscard]] inline std::size_t process_bytes(std::string const& key) {
  std::ifstream status{"/proc/self/status"};
  std::string word;
  while (status >> word) {
    std::size_t kilobytes = 0;
    if (word == key + ":" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

[[nodiscard]] inline double median(std::vector<double> values) {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Threads of a context on the host; 1 for a device.
template <class Context>
[[nodiscard]] int threads_of(Context& context) {
  if constexpr (requires { context.threads().threads(); })
    return context.threads().threads();
  else
    return 1;
}
/// Waits for a device to have done what was queued.
template <class Context>
void wait_for(Context& context) {
  if constexpr (requires { context.synchronise(); }) context.synchronise();
}
/// The process's greatest resident size above `before`; of a device, what was asked of it.
template <class Context>
[[nodiscard]] std::size_t peak_bytes_of(Context& context, std::size_t before) {
  if constexpr (requires { context.synchronise(); })
    return context.memory().reserved_bytes();
  else
    return process_bytes("VmHWM") - before;
}

/// To stderr, what a context served otherwise than one would think.
template <class Context>
void print_notes(Context& context) {
  if constexpr (requires { context.notes(); })
    for (auto const& note : context.notes()) std::fprintf(stderr, "%s\n", note.c_str());
}

/// Seconds of a call of `work`, measured again and again after some calls to warm up: as often as the options
/// say, or as fits into ten seconds (at least five times). Each measurement is of `options.queued` calls, one
/// of which is said. The measured calls fill the profile, if one is wanted.
template <class F, class Context>
[[nodiscard]] std::vector<double> time_calls(Options const& options, F const& work, Context& context,
                                             diffsiam::Profile& profile) {
  for (int call = 0; call < options.warm_up; ++call) work();
  wait_for(context);
  if (options.profile) context.set_observer(&profile);
  Stopwatch<Context> stopwatch{context};
  std::vector<double> seconds;
  double total = 0;
  auto const done = [&] {
    auto const count = static_cast<int>(seconds.size());
    return options.steps > 0 ? count >= options.steps : count >= 5 && total >= 10;
  };
  while (!done()) {
    stopwatch.start();
    for (int call = 0; call < options.queued; ++call) work();
    double const taken = stopwatch.stop();
    seconds.push_back(taken / options.queued);
    total += taken;
  }
  context.set_observer(nullptr);
  return seconds;
}

/// Seconds by operation and direction, each a share of one call, the greatest first.
[[nodiscard]] inline Json profile_json(diffsiam::Profile const& profile, std::size_t calls) {
  std::vector<std::pair<double, std::string>> rows;
  for (auto const& [key, entry] : profile.entries())
    rows.emplace_back(entry.seconds / static_cast<double>(calls),
                      key.first + (key.second == diffsiam::Direction::forward ? " forward" : " backward"));
  std::sort(rows.rbegin(), rows.rend());
  Json result = Json::object();
  for (auto const& [seconds, name] : rows) result[name] = seconds;
  return result;
}

/// Scalars in all weights of a model, and in those that are trained.
template <class Model>
[[nodiscard]] std::pair<Index, Index> count_parameters(Model const& model) {
  Index all = 0, trainable = 0;
  diffsiam::nn::for_each_leaf(model, [&](diffsiam::nn::LeafName const&, auto const& leaf) {
    if constexpr (requires { leaf.trainable(); }) {
      all += leaf.shape().size();
      trainable += leaf.trainable() ? leaf.shape().size() : 0;
    }
  });
  return {all, trainable};
}

/// What every program says. `flops` are those of one call, counted by the traced reading.
template <class Context, class Model>
[[nodiscard]] Json record_of(std::string const& program, Options const& options, Context& context,
                             Model const& model, Index batch, double flops,
                             std::vector<double> const& seconds, std::size_t bytes_before,
                             diffsiam::Profile const& profile) {
  double const typical = median(seconds);
  auto const [all, trainable] = count_parameters(model);
  Json record{{"program", program},
              {"config", options.config},
              {"what", options.what},
              {"backend", options.backend},
              {"precision", options.precision},
              {"threads", threads_of(context)},
              {"batch", batch},
              {"steps", seconds.size()},
              {"queued", options.queued},
              {"images_per_second", static_cast<double>(batch) / typical},
              {"flops_per_image", flops / static_cast<double>(batch)},
              {"gflops", flops / typical / 1e9},
              {"peak_bytes", peak_bytes_of(context, bytes_before)},
              {"pool_peak_bytes", context.memory().peak_bytes()},
              {"pool_touched_bytes", context.memory().touched_bytes()},
              {"pool_reserved_bytes", context.memory().reserved_bytes()},
              {"trainable", trainable},
              {"parameters", all}};
  if (options.profile)
    record["profile"] = profile_json(profile, seconds.size() * static_cast<std::size_t>(options.queued));
  return record;
}

}  // namespace bench

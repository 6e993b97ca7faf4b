// StageRanks: what the ranks of a stage of training agree on. With one process there is nothing to agree on.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/backend/host/fingerprint.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/build_info.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/core/thread_pool.hpp>
#include <diffsiam/dist/data_parallel.hpp>

namespace diffsiam::train::detail {

template <class B>
class StageRanks {
 public:
  /// `division` is that of the step; null if its batches are not divided.
  explicit StageRanks(dist::DataParallel<B>* division) : division_(division) {}

  /// Whether this rank writes.
  [[nodiscard]] bool first() const { return division_ == nullptr || division_->ranks().rank() == 0; }
  /// What the first rank says.
  [[nodiscard]] bool agreed(bool here) const {
    if (division_ == nullptr) return here;
    char word = here ? 1 : 0;
    division_->ranks().broadcast(&word, sizeof(word), 0);
    return word != 0;
  }
  /// f(), and tells the other ranks if it throws.
  template <class F>
  auto guarded(F const& f) const {
    try {
      return f();
    } catch (dist::PeerError const&) {
      throw;
    } catch (Interrupted const&) {
      throw;
    } catch (std::exception const& error) {
      if (division_ != nullptr) division_->ranks().announce(error.what());
      throw;
    }
  }
  /// Waits for all ranks, however long it takes.
  void meet() const {
    if (division_ != nullptr) division_->ranks().barrier();
  }
  /// Throws ConfigError on all ranks unless they have the same.
  void require_same(std::string_view what, std::string const& mine) const {
    if (division_ != nullptr) dist::require_same(division_->ranks(), what, mine);
  }
  /// The same of the library, its compilation, the number of pieces, the weights and the place in the run.
  template <class Step>
  void require_same_start(Step const& step) const {
    if (division_ == nullptr) return;
    BuildInfo const build = build_info();
    require_same("library", text({build.version, ", ", build.compiler, ", ", build.instruction_set}));
    require_same("start", text({"step ", step.steps(), " in ", division_->pieces(), " pieces"}));
    std::string sums;
    ThreadPool alone{1};
    for (auto const& [name, parameter] : step.optimizer().parameters().parameters) {
      auto const values = parameter.value().values();
      auto const sum = backend::fingerprint(alone, values.data(), values.size() * sizeof(values[0]));
      sums += name.name + " " + std::to_string(sum) + "\n";
    }
    require_same("weights", sums);
  }
  /// The same pictures, if `data` has a data set: their number, labels and up to a thousand of them are
  /// compared.
  template <class Data>
  void require_same_data(Data const& data) const {
    if constexpr (requires { data.dataset().labels(); }) {
      if (division_ == nullptr) return;
      auto const& set = data.dataset();
      Index const step = std::max<Index>(1, set.size() / 1000);
      std::vector<std::uint8_t> pixels;
      for (Index i = 0; i < set.size(); i += step) {
        auto const picture = set.pixels(i);
        pixels.insert(pixels.end(), picture.begin(), picture.end());
      }
      std::vector<int> const labels = set.labels();
      ThreadPool alone{1};
      auto const sum = [&](auto const& values) {
        return std::to_string(backend::fingerprint(alone, values.data(), values.size() * sizeof(values[0])));
      };
      require_same("pictures", text({set.shape(), "\nlabels ", sum(labels), "\npixels ", sum(pixels)}));
    }
  }
  /// The flag that stops the stage: `stop` of this rank, or what all ranks have agreed on.
  [[nodiscard]] std::atomic<bool> const* agreed_stop(std::atomic<bool> const* stop) const {
    if (division_ == nullptr) return stop;
    division_->watch(stop);
    return &division_->stop_agreed();
  }

 private:
  dist::DataParallel<B>* division_;
};

}  // namespace diffsiam::train::detail

// Loader: batches of a Dataset in a shuffled order that depends only on seed and epoch. Its own threads
// prepare batches ahead of time. The bits of a batch depend neither on the number of threads nor on how many
// batches are prepared ahead.
#pragma once

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <iterator>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/geometry.hpp>
#include <diffsiam/data/partners.hpp>
#include <diffsiam/data/permutation.hpp>
#include <diffsiam/data/two_views.hpp>

namespace diffsiam::data {

/// Samples [begin, end) of each batch.
/// `begin` and `end` are in [0, batch_size].
struct BatchPart {
  Index begin = 0, end = 0;
};

/// Settings of a Loader.
struct LoaderConfig {
  Index batch_size = 64;   ///< pictures in a batch, at least 1
  std::uint64_t seed = 0;  ///< of the order, of flips, views and partners
  bool shuffle = true;     ///< false: the order of the Dataset, in every epoch
  bool drop_last = true;   ///< leaves out the incomplete batch at the end of an epoch
  int prefetch = 2;        ///< number of batches prepared ahead; 0: no threads
  int threads = 1;         ///< number of threads that prepare batches
  float flip = 0;          ///< probability of mirroring `images`; views are made from unmirrored pictures
  std::optional<TwoViews> views{};  ///< adds two augmented views to each batch
  /// If set, the second view shows one of the partners of the picture, drawn again in each epoch.
  std::optional<Partners> partners{};
  /// If set, only this part of each batch is prepared, where other processes take the others; the samples are
  /// those that stand there in the whole batch. Batches are whole then: drop_last.
  std::optional<BatchPart> part{};
};

/// A position in the stream: batch number `batch` of epoch number `epoch`, both from 0.
struct LoaderPosition {
  std::uint64_t epoch = 0;
  Index batch = 0;

  [[nodiscard]] constexpr bool operator==(LoaderPosition const&) const = default;
};

/// A batch as views of the loader's memory. It is valid until the next next() or seek(), or the end of the
/// loader.
struct Batch {
  Shape shape;                                  ///< (n, h, w, c), of images and of each view
  std::span<float const> images;                ///< in [-1, 1]
  std::span<int const> labels;                  ///< (n); empty for an unlabelled set
  std::span<Index const> indices;               ///< (n) positions in the Dataset
  std::array<std::span<float const>, 2> views;  ///< like images; empty unless LoaderConfig::views is set
  LoaderPosition position;                      ///< of this batch: where a loader is to seek to get it again

  /// The first `count` pictures, for example if one of several losses needs only a few; in a shuffled order
  /// they are a random sample. Throws ShapeError unless count is from 1 to the size of the batch.
  [[nodiscard]] Batch first(Index count) const {
    if (count < 1 || count > shape.samples())
      fail<ShapeError>("Batch::first", {"1 to ", shape.samples(), " pictures, as the batch has"}, count);
    return slice(0, count);
  }
  /// Part `number` of `count` equal ones. Throws ShapeError unless count divides the size of the batch, and
  /// number is in [0, count).
  [[nodiscard]] Batch part(Index number, Index count) const {
    if (count < 1 || shape.samples() % count != 0 || number < 0 || number >= count)
      fail<ShapeError>("Batch::part", {"one of equal parts of ", shape.samples(), " pictures"},
                       {"part ", number, " of ", count});
    Index const each = shape.samples() / count;
    return slice(number * each, (number + 1) * each);
  }

 private:
  [[nodiscard]] Batch slice(Index begin, Index end) const {
    auto const few = [&](auto all) {
      // Labels and views may be absent.
      std::size_t const each = all.size() / static_cast<std::size_t>(shape.samples());
      return all.subspan(each * static_cast<std::size_t>(begin),
                         each * static_cast<std::size_t>(end - begin));
    };
    return {.shape = shape.with_samples(end - begin),
            .images = few(images),
            .labels = few(labels),
            .indices = few(indices),
            .views = {few(views[0]), few(views[1])},
            .position = position};
  }
};

/// An endless stream of batches. A range-for over it is one epoch. Only one thread at a time may take
/// batches.
class Loader {
 public:
  /// Throws ConfigError for an empty set, a batch size below 1 or (with drop_last) above the size of the set,
  /// a negative prefetch, no threads, a flip probability outside [0, 1], partners without views or for
  /// another number of pictures, and a part that is none of every batch.
  explicit Loader(Dataset dataset, LoaderConfig config = {})
      : dataset_(std::move(dataset)), config_(std::move(config)) {
    auto const require = [](bool good, std::string_view expected, std::string const& actual) {
      if (!good) fail<ConfigError>("Loader", expected, actual);
    };
    Index const n = dataset_.size();
    require(n >= 1, "a set of at least one picture", "none");
    require(config_.batch_size >= 1, "a batch size of at least 1", std::to_string(config_.batch_size));
    require(
        !config_.drop_last || config_.batch_size <= n,
        "a batch size of at most " + std::to_string(n) + ", the pictures there are, when the last is dropped",
        std::to_string(config_.batch_size));
    require(config_.prefetch >= 0, "a prefetch of at least 0 batches", std::to_string(config_.prefetch));
    require(config_.threads >= 1, "at least 1 thread", std::to_string(config_.threads));
    require(config_.flip >= 0 && config_.flip <= 1, "a flip probability in [0, 1]",
            std::to_string(config_.flip));
    if (config_.partners) {
      require(config_.views.has_value(), "views, where there are partners", "none");
      require(config_.partners->pictures() == n, "partners of " + std::to_string(n) + " pictures",
              std::to_string(config_.partners->pictures()));
    }
    if (config_.part) {
      auto const [begin, end] = *config_.part;
      require(begin >= 0 && begin < end && end <= config_.batch_size,
              "a part within a batch of " + std::to_string(config_.batch_size),
              std::to_string(begin) + " .. " + std::to_string(end));
      require(config_.drop_last, "whole batches (drop_last), where they are taken in parts", "others");
    }
    batches_ = config_.drop_last ? n / config_.batch_size : (n + config_.batch_size - 1) / config_.batch_size;

    slots_.resize(static_cast<std::size_t>(config_.prefetch) + 1);
    for (Slot& slot : slots_) reserve(slot);
    workers_.resize(config_.prefetch == 0 ? 1 : static_cast<std::size_t>(config_.threads));
    for (Worker& worker : workers_) {
      worker.order.resize(static_cast<std::size_t>(n));
      if (config_.partners) worker.partner.resize(static_cast<std::size_t>(dataset_.image_size()));
    }
    if (config_.prefetch == 0) return;
    try {
      for (Worker& worker : workers_) worker.thread = std::jthread([this, &worker] { serve(worker); });
    } catch (...) {
      stop();  // stops the threads that did start
      throw;
    }
  }
  Loader(Loader const&) = delete;
  Loader& operator=(Loader const&) = delete;
  ~Loader() { stop(); }

  [[nodiscard]] Dataset const& dataset() const& { return dataset_; }
  [[nodiscard]] Dataset dataset() const&& { return dataset_; }
  [[nodiscard]] LoaderConfig const& config() const& { return config_; }
  [[nodiscard]] LoaderConfig config() const&& { return config_; }
  /// The incomplete batch counts unless it is dropped.
  [[nodiscard]] Index batches_per_epoch() const { return batches_; }

  /// The position of the batch that next() will return, whatever has been prepared already. Store it in a
  /// checkpoint and pass it to seek() to continue there.
  [[nodiscard]] LoaderPosition position() const { return position_of(handed_out_); }

  /// Continues at a position of this or another run. Throws RangeError for a batch outside the epoch.
  void seek(LoaderPosition position) {
    if (position.batch < 0 || position.batch >= batches_)
      fail<RangeError>("Loader::seek", "a batch in [0, " + std::to_string(batches_) + ")", position.batch);
    std::unique_lock lock{mutex_};
    paused_ = true;
    changed_.wait(lock, [this] { return busy_ == 0; });
    start_ = position;
    handed_out_ = next_to_prepare_ = released_ = 0;
    for (Slot& slot : slots_) slot.ready = nothing;
    paused_ = false;
    lock.unlock();
    changed_.notify_all();
  }

  /// The next batch; the one before becomes invalid. Throws what was thrown while the batch was prepared. The
  /// position is unchanged then, and the next call tries that batch again.
  [[nodiscard]] Batch next() {
    Slot const& slot = slots_[handed_out_ % slots_.size()];
    if (config_.prefetch == 0) {
      prepare(slots_.front(), handed_out_, workers_.front());
    } else {
      std::unique_lock lock{mutex_};
      released_ = handed_out_;
      changed_.notify_all();
      changed_.wait(lock, [&] { return slot.ready == handed_out_; });
    }
    if (std::exception_ptr const error = slot.error) {
      seek(position());  // prepares the following batches again
      std::rethrow_exception(error);
    }
    ++handed_out_;
    return slot.batch;
  }

  /// For `for (Batch const& batch : loader)`: from the current position to the end of its epoch.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using pointer = Batch const*;
    using reference = Batch const&;

    /// Takes the next batch. The loader must outlive the iterator.
    explicit Iterator(Loader& loader)
        : loader_(&loader), epoch_(loader.position().epoch), batch_(loader.next()) {}
    [[nodiscard]] Batch const& operator*() const { return batch_; }
    [[nodiscard]] Batch const* operator->() const { return &batch_; }
    Iterator& operator++() {
      if (loader_->position().epoch == epoch_)
        batch_ = loader_->next();
      else
        loader_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const { return loader_ == nullptr; }

   private:
    Loader* loader_;
    std::uint64_t epoch_;
    Batch batch_;
  };
  [[nodiscard]] Iterator begin() { return Iterator{*this}; }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  // Batches are numbered from the last seek; number k is in slot k modulo the number of slots.
  using Number = std::uint64_t;
  static constexpr Number nothing = ~Number{0};

  struct Slot {
    std::vector<float> images;
    std::array<std::vector<float>, 2> views;
    std::vector<int> labels;
    std::vector<Index> indices;
    Batch batch;
    std::exception_ptr error;
    Number ready = nothing;
  };
  struct Worker {
    std::vector<std::uint32_t> order;
    std::optional<std::uint64_t> order_epoch;
    std::vector<float> partner;
    AugmentScratch scratch;
    std::jthread thread;
  };

  void reserve(Slot& slot) const {
    auto const n = static_cast<std::size_t>(range_of(0).count);
    std::size_t const values = n * static_cast<std::size_t>(dataset_.image_size());
    slot.images.resize(values);
    slot.indices.resize(n);
    if (dataset_.labelled()) slot.labels.resize(n);
    if (config_.views)
      for (std::vector<float>& view : slot.views) view.resize(values);
  }

  /// The samples of batch `batch` of an epoch that are prepared.
  struct Range {
    Index begin, count;
  };
  [[nodiscard]] Range range_of(Index batch) const {
    Index const begin = batch * config_.batch_size;
    if (config_.part) return {begin + config_.part->begin, config_.part->end - config_.part->begin};
    return {begin, std::min(config_.batch_size, dataset_.size() - begin)};
  }
  [[nodiscard]] LoaderPosition position_of(Number number) const {
    auto const per_epoch = static_cast<Number>(batches_);
    Number const from_epoch = static_cast<Number>(start_.batch) + number;
    return {start_.epoch + from_epoch / per_epoch, static_cast<Index>(from_epoch % per_epoch)};
  }

  void stop() {
    {
      std::lock_guard const lock{mutex_};
      stopping_ = true;
    }
    changed_.notify_all();
  }

  void serve(Worker& worker) {
    std::unique_lock lock{mutex_};
    while (true) {
      // A slot is free again after its batch has been returned and replaced.
      changed_.wait(
          lock, [this] { return stopping_ || (!paused_ && next_to_prepare_ < released_ + slots_.size()); });
      if (stopping_) return;
      Number const number = next_to_prepare_++;
      ++busy_;
      lock.unlock();
      Slot& slot = slots_[number % slots_.size()];
      prepare(slot, number, worker);
      lock.lock();
      slot.ready = number;
      --busy_;
      changed_.notify_all();
    }
  }

  void prepare(Slot& slot, Number number, Worker& worker) const {
    slot.error = nullptr;
    try {
      fill(slot, position_of(number), worker);
    } catch (...) {
      slot.error = std::current_exception();
    }
  }

  void fill(Slot& slot, LoaderPosition position, Worker& worker) const {
    if (worker.order_epoch != position.epoch) {
      if (config_.shuffle)
        fill_permutation(worker.order, Rng{config_.seed, shuffle_stream, position.epoch});
      else
        std::iota(worker.order.begin(), worker.order.end(), 0U);
      worker.order_epoch = position.epoch;
    }
    auto const each = static_cast<std::size_t>(dataset_.image_size());
    auto const [begin, count] = range_of(position.batch);
    ImageExtent const extent{.height = static_cast<int>(dataset_.height()),
                             .width = static_cast<int>(dataset_.width()),
                             .channels = static_cast<int>(dataset_.channels())};
    for (Index i = 0; i < count; ++i) {
      auto const at = static_cast<std::size_t>(i);
      auto const index = static_cast<Index>(worker.order[static_cast<std::size_t>(begin + i)]);
      std::span<float> const image = std::span(slot.images).subspan(at * each, each);
      dataset_.to_unit(index, image);
      slot.indices[at] = index;
      if (dataset_.labelled()) slot.labels[at] = dataset_.label(index);
      // Counts pictures over all epochs, so that no random draw repeats.
      std::uint64_t const step =
          position.epoch * static_cast<std::uint64_t>(dataset_.size()) + static_cast<std::uint64_t>(index);
      if (config_.views) {
        std::span<float const> second = image;
        if (config_.partners) {
          dataset_.to_unit(config_.partners->draw(index, config_.seed, step), worker.partner);
          second = worker.partner;
        }
        for (int view = 0; view < 2; ++view)
          (*config_.views)(view, view == 0 ? image : second, extent, config_.seed, step,
                           std::span(slot.views[static_cast<std::size_t>(view)]).subspan(at * each, each),
                           worker.scratch);
      }
      if (config_.flip > 0 && Rng{config_.seed, flip_stream, step}.uniform(0) < config_.flip)
        flip_horizontally(image, extent);
    }
    auto const n = static_cast<std::size_t>(count);
    slot.batch = {.shape = {count, dataset_.height(), dataset_.width(), dataset_.channels()},
                  .images = std::span(slot.images).first(n * each),
                  .labels = std::span(slot.labels).first(dataset_.labelled() ? n : 0),
                  .indices = std::span(slot.indices).first(n),
                  .views = {},
                  .position = position};
    if (config_.views)
      for (std::size_t view = 0; view < 2; ++view)
        slot.batch.views[view] = std::span(slot.views[view]).first(n * each);
  }

  Dataset dataset_;
  LoaderConfig config_;
  Index batches_ = 0;
  std::vector<Slot> slots_;
  LoaderPosition start_;
  Number handed_out_ = 0;       // returned by next() since the last seek
  Number next_to_prepare_ = 0;  // this and the following members, and Slot::ready, need the mutex
  Number released_ = 0;
  int busy_ = 0;
  bool paused_ = false, stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Worker> workers_;  // last, so that their threads end before other members do
};

}  // namespace diffsiam::data

// NcclRank: ranks with a GPU each, whose memory is moved by NCCL. Values of the host, and all that finds out
// about failures, go through another communicator, mostly Mpi, which also connects the ranks.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include <diffsiam/dist/communicator.hpp>

namespace diffsiam::dist {

/// What NcclRank needs of NCCL and CUDA; the real one is backend::cuda::Nccl. A stream runs what is queued
/// on it in order; an event marks a place on a stream.
template <class Api>
concept NcclInterface = requires(Api& api, typename Api::Id id, typename Api::Stream stream,
                                 typename Api::Event event, void const* from, void* to, std::size_t bytes) {
  { api.make_id() } -> std::same_as<typename Api::Id>;
  api.connect(2, id, 0);  // ranks, id, rank
  { api.compute_stream() } -> std::same_as<typename Api::Stream>;
  { api.transfer_stream() } -> std::same_as<typename Api::Stream>;
  { api.is_on_device(from) } -> std::same_as<bool>;
  { api.record(stream) } -> std::same_as<typename Api::Event>;
  api.wait(stream, event);
  { api.has_passed(event) } -> std::same_as<bool>;
  api.all_gather(from, to, bytes, stream);
  api.begin_group();
  api.send(from, bytes, 0, stream);
  api.receive(to, bytes, 0, stream);
  api.end_group();
};

/// One process for each GPU:
///
///     dist::Mpi processes;
///     backend::Cuda<float>::Context context{{.device = processes.rank() % devices}};
///     backend::cuda::Nccl nccl{context.stream()};
///     dist::NcclRank ranks{processes, nccl};
///
/// Transfers of device memory run on a stream of their own, beside the computation: they begin when what was
/// queued before has been done, and what is queued after wait() begins when they have been done. The host
/// waits for nothing.
template <NcclInterface Api>
class NcclRank {
 public:
  /// A recording of the computation holds the transfers, too.
  static constexpr bool queues_transfers = true;

  /// Borrows both. All ranks of `processes` make one at the same time.
  NcclRank(CommunicatorRef processes, Api& api) : processes_(std::move(processes)), api_(&api) {
    typename Api::Id id{};
    if (rank() == 0) id = api.make_id();
    processes_.broadcast(&id, sizeof(id), 0);
    api.connect(size(), id, rank());
  }

  [[nodiscard]] int rank() const { return processes_.rank(); }
  [[nodiscard]] int size() const { return processes_.size(); }
  Request start_all_to_all(void const* from, void* to, std::size_t bytes) {
    if (!both_on_device(from, to)) return processes_.start_all_to_all(from, to, bytes);
    return queued([&](auto stream) {
      api_->begin_group();
      for (int other = 0; other < size(); ++other) {
        std::size_t const at = static_cast<std::size_t>(other) * bytes;
        api_->send(static_cast<std::byte const*>(from) + at, bytes, other, stream);
        api_->receive(static_cast<std::byte*>(to) + at, bytes, other, stream);
      }
      api_->end_group();
    });
  }
  Request start_all_gather(void const* from, void* to, std::size_t bytes) {
    if (!both_on_device(from, to)) return processes_.start_all_gather(from, to, bytes);
    return queued([&](auto stream) { api_->all_gather(from, to, bytes, stream); });
  }
  /// Of host memory.
  void broadcast(void* data, std::size_t bytes, int root) {
    if (api_->is_on_device(data))
      fail<Error>("NcclRank::broadcast", "memory of the host", "memory of a device");
    processes_.broadcast(data, bytes, root);
  }
  void barrier() { processes_.barrier(); }
  void announce(std::string_view sentence) { processes_.announce(sentence); }

 private:
  struct Queued final : Transfer {
    Queued(Api& nccl, typename Api::Event event) : api(&nccl), end(std::move(event)) {}
    bool test() override {
      if (!api->has_passed(end)) return false;
      wait();
      return true;
    }
    void wait() override { api->wait(api->compute_stream(), end); }
    Api* api;
    typename Api::Event end;
  };

  [[nodiscard]] bool both_on_device(void const* from, void const* to) const {
    bool const there = api_->is_on_device(from);
    if (there != api_->is_on_device(to))
      fail<Error>("NcclRank", "both ends of a transfer on the device, or both on the host", "one of each");
    return there;
  }
  template <class Work>
  Request queued(Work const& work) {
    auto const stream = api_->transfer_stream();
    api_->wait(stream, api_->record(api_->compute_stream()));
    work(stream);
    return Request{std::make_unique<Queued>(*api_, api_->record(stream))};
  }

  CommunicatorRef processes_;
  Api* api_;
};

}  // namespace diffsiam::dist

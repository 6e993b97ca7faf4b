// Communicator: how the ranks of a run, mostly one process each, reach each other. It only moves bytes. Sums
// are made by those who ask for them, in an order that does not depend on the number of ranks.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <diffsiam/core/error.hpp>
#include <diffsiam/dist/request.hpp>

namespace diffsiam::dist {

/// Another rank has failed, or does not answer; the message names it. The run cannot go on: save nothing, and
/// let the program end.
class PeerError : public Error {
 public:
  /// `rank` is at fault, and `message` names it.
  PeerError(int rank, std::string const& message) : Error(message), rank_(rank) {}
  /// The rank at fault.
  [[nodiscard]] int rank() const { return rank_; }

 private:
  int rank_;
};

/// Satisfied if and only if C connects the ranks 0 .. size()-1 of a run, of which it is rank(). All ranks
/// call the same functions in the same order, one thread at a time.
///   - start_all_to_all(from, to, bytes): block s of `from` (size() blocks of `bytes` bytes) becomes block
///     rank() of `to` on rank s.
///   - start_all_gather(from, to, bytes): the `bytes` bytes of each rank become block `rank` of `to` on all.
///   - broadcast(data, bytes, root): the data of rank `root` replace those of the others.
///   - barrier(): returns when all have called it; it waits as long as that takes.
///   - announce(sentence): tells the others that this rank fails; whatever they wait for throws PeerError.
/// Waiting for a transfer has a limit, where a rank may hang at all. Models: SingleProcess, ThreadRank, Mpi,
/// NcclRank.
///
/// A constant C::queues_transfers that is true says that transfers of device memory, and waits for them, are
/// queued on the device as kernels are. They can then be recorded (see train::RecordedStep). Model: NcclRank.
template <class C>
concept Communicator =
    requires(C& c, void const* from, void* to, std::size_t bytes, std::string_view sentence) {
      { c.rank() } -> std::same_as<int>;
      { c.size() } -> std::same_as<int>;
      { c.start_all_to_all(from, to, bytes) } -> std::same_as<Request>;
      { c.start_all_gather(from, to, bytes) } -> std::same_as<Request>;
      c.broadcast(to, bytes, 0);
      c.barrier();
      c.announce(sentence);
    };

/// Any communicator, by reference; it must outlive this handle. Copies refer to the same one.
class CommunicatorRef {
 public:
  /// Refers to `communicator`, which must outlive all copies.
  template <Communicator C>
    requires(!std::same_as<C, CommunicatorRef>)
  CommunicatorRef(C& communicator)  // NOLINT: implicit by design
      : link_(std::make_shared<LinkTo<C>>(communicator)),
        rank_(communicator.rank()),
        size_(communicator.size()) {
    if constexpr (requires { C::queues_transfers; }) queues_transfers_ = C::queues_transfers;
  }

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  /// Whether transfers of device memory are queued on the device.
  [[nodiscard]] bool queues_transfers() const { return queues_transfers_; }
  [[nodiscard]] Request start_all_to_all(void const* from, void* to, std::size_t bytes) const {
    return link_->start_all_to_all(from, to, bytes);
  }
  [[nodiscard]] Request start_all_gather(void const* from, void* to, std::size_t bytes) const {
    return link_->start_all_gather(from, to, bytes);
  }
  void broadcast(void* data, std::size_t bytes, int root) const { link_->broadcast(data, bytes, root); }
  void barrier() const { link_->barrier(); }
  void announce(std::string_view sentence) const { link_->announce(sentence); }

 private:
  struct Link {
    Link() = default;
    Link(Link const&) = delete;
    Link& operator=(Link const&) = delete;
    virtual ~Link() = default;
    virtual Request start_all_to_all(void const* from, void* to, std::size_t bytes) = 0;
    virtual Request start_all_gather(void const* from, void* to, std::size_t bytes) = 0;
    virtual void broadcast(void* data, std::size_t bytes, int root) = 0;
    virtual void barrier() = 0;
    virtual void announce(std::string_view sentence) = 0;
  };
  template <class C>
  struct LinkTo final : Link {
    explicit LinkTo(C& communicator) : c(&communicator) {}
    Request start_all_to_all(void const* from, void* to, std::size_t bytes) override {
      return c->start_all_to_all(from, to, bytes);
    }
    Request start_all_gather(void const* from, void* to, std::size_t bytes) override {
      return c->start_all_gather(from, to, bytes);
    }
    void broadcast(void* data, std::size_t bytes, int root) override { c->broadcast(data, bytes, root); }
    void barrier() override { c->barrier(); }
    void announce(std::string_view sentence) override { c->announce(sentence); }
    C* c;
  };

  std::shared_ptr<Link> link_;
  int rank_, size_;
  bool queues_transfers_ = false;
};

static_assert(Communicator<CommunicatorRef>);

}  // namespace diffsiam::dist

// Request: a transfer between ranks that goes on while its caller computes.
#pragma once

#include <memory>
#include <utility>

namespace diffsiam::dist {

/// What a communicator knows of a transfer that is under way.
class Transfer {
 public:
  Transfer() = default;
  Transfer(Transfer const&) = delete;
  Transfer& operator=(Transfer const&) = delete;
  virtual ~Transfer() = default;
  /// Moves it on without waiting. Returns true once it is done.
  virtual bool test() = 0;
  /// Returns when it is done. Throws PeerError where a rank has failed or does not answer.
  virtual void wait() = 0;
};

/// Memory that takes part must stay where it is until wait() has returned or test() has returned true. After
/// an exception of a communicator the program should end: a transfer that others wait for is still open.
class Request {
 public:
  /// A transfer that is done.
  Request() = default;
  explicit Request(std::unique_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}

  /// Whether the transfer is done; it does not wait.
  bool test() {
    if (transfer_ && transfer_->test()) transfer_.reset();
    return transfer_ == nullptr;
  }
  /// Returns when the transfer is done. Throws PeerError where another rank fails or does not answer.
  void wait() {
    if (transfer_) transfer_->wait();
    transfer_.reset();
  }

 private:
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace diffsiam::dist

// A TCP port of one address of this machine, taken before anybody listens at it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace unianimate::distributed {

/// Bound, not yet listening; closed at the end of its life, and when this program is started anew.
class BoundSocket {
 public:
  /// At `address`, a number of either kind, and `port`, or a free one where that is 0. Nothing where this machine has
  /// no such address. Throws Error(kEnvironment) where the port cannot be had.
  static std::optional<BoundSocket> open(const std::string& address, std::uint16_t port);

  ~BoundSocket();
  BoundSocket(BoundSocket&& other) noexcept;
  BoundSocket& operator=(BoundSocket&&) = delete;
  BoundSocket(const BoundSocket&) = delete;
  BoundSocket& operator=(const BoundSocket&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The descriptor, which is now the caller's.
  [[nodiscard]] int release();

 private:
  BoundSocket(int descriptor, std::uint16_t port) : descriptor_(descriptor), port_(port) {}

  int descriptor_;
  std::uint16_t port_;
};

}  // namespace unianimate::distributed

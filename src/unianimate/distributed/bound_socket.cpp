#include "unianimate/distributed/bound_socket.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

#include "unianimate/core/error.h"

namespace unianimate::distributed {

namespace {

std::uint16_t port_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  auto* any_address = reinterpret_cast<sockaddr*>(&address);
  std::array<char, NI_MAXSERV> text{};
  std::uint16_t port = 0;
  const bool known = ::getsockname(descriptor, any_address, &length) == 0 &&
                     ::getnameinfo(any_address, length, nullptr, 0, text.data(), text.size(), NI_NUMERICSERV) == 0;
  if (known) std::from_chars(text.data(), text.data() + std::strlen(text.data()), port);
  return port;
}

}  // namespace

std::optional<BoundSocket> BoundSocket::open(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  BoundSocket bound(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), port);
  if (bound.descriptor_ >= 0) {
    // As every server does, so that it can be started again at once.
    const int yes = 1;
    if (port != 0) ::setsockopt(bound.descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (::bind(bound.descriptor_, found->ai_addr, found->ai_addrlen) == 0) {
      bound.port_ = port_of(bound.descriptor_);
      return bound;
    }
    if (errno == EADDRNOTAVAIL) return std::nullopt;
  }
  throw Error(ErrorKind::kEnvironment, "{} of {}, where the processes meet, cannot be used: {}",
              port == 0 ? "no port" : fmt::format("port {}", port), printable(address), std::strerror(errno));
}

BoundSocket::~BoundSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

BoundSocket::BoundSocket(BoundSocket&& other) noexcept : descriptor_(other.release()), port_(other.port_) {}

int BoundSocket::release() {
  return std::exchange(descriptor_, -1);
}

}  // namespace unianimate::distributed

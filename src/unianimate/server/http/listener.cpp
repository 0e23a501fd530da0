#include "unianimate/server/http/listener.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/server/http/connection.h"

namespace unianimate::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kMostRefused = 64;  ///< connections that are told so at once; further ones are closed

tcp::endpoint endpoint_of(const std::string& address, std::uint16_t port) {
  error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  if (error) throw Error(ErrorKind::kUsage, "'{}' is no address to listen at, such as 127.0.0.1", printable(address));
  return {parsed, port};
}

void ignore(const std::exception_ptr& /*thrown*/) {}

}  // namespace

struct Listener::State {
  explicit State(const Limits& limits) : shared(limits), acceptor(shared.context), timer(shared.context) {}

  asio::awaitable<void> accept();
  void take(tcp::socket socket);
  void begin_to_stop();
  [[nodiscard]] std::size_t connections_of(const std::string& address) const;

  Shared shared;
  tcp::acceptor acceptor;
  asio::steady_timer timer;  ///< where the system has no more descriptors
  std::uint16_t port = 0;
};

Listener::Listener(const std::string& address, std::uint16_t port, const Limits& limits)
    : state_(std::make_unique<State>(limits)) {
  const tcp::endpoint endpoint = endpoint_of(address, port);
  try {
    state_->acceptor.open(endpoint.protocol());
    state_->acceptor.set_option(tcp::acceptor::reuse_address(true));
    state_->acceptor.bind(endpoint);
    state_->acceptor.listen();
    state_->port = state_->acceptor.local_endpoint().port();
  } catch (const boost::system::system_error& error) {
    throw Error(ErrorKind::kEnvironment,
                "cannot listen at {} port {}: {}; give another with --listen ADDRESS:PORT (port 0: a free one)",
                address, port, error.code().message());
  }
}

Listener::~Listener() {
  state_->shared.pool.join();
}

std::uint16_t Listener::port() const noexcept {
  return state_->port;
}

std::size_t Listener::streams() const noexcept {
  return state_->shared.streams;
}

void Listener::serve(const Service& service) {
  state_->shared.service = &service;
  asio::co_spawn(state_->shared.context, state_->accept(), ignore);
  state_->shared.context.run();
  state_->shared.pool.join();
}

void Listener::stop() {
  asio::post(state_->shared.context, [this] { state_->begin_to_stop(); });
}

void Listener::changed() {
  asio::post(state_->shared.context, [this] {
    ++state_->shared.changes;
    state_->shared.wake_all();
  });
}

std::size_t Listener::State::connections_of(const std::string& address) const {
  std::size_t count = 0;
  for (const Connection* const connection : shared.connections) {
    count += connection->address() == address && !connection->is_trusted_stream() ? 1 : 0;
  }
  return count;
}

asio::awaitable<void> Listener::State::accept() {
  constexpr std::chrono::milliseconds kUntilDescriptorsAreFree{100};
  constexpr auto kAwaited = asio::as_tuple(asio::use_awaitable);
  while (!shared.stopping) {
    auto [error, socket] = co_await acceptor.async_accept(kAwaited);
    if (shared.stopping) break;
    if (!error) {
      take(std::move(socket));
      continue;
    }
    timer.expires_after(kUntilDescriptorsAreFree);
    co_await timer.async_wait(kAwaited);
  }
}

void Listener::State::take(tcp::socket socket) {
  error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return;
  const Limits& limits = shared.limits;
  const std::size_t all = shared.connections.size();
  if (all >= limits.connections + kMostRefused) return;
  socket.set_option(tcp::no_delay(true), error);
  const std::string address = remote.address().to_string();
  const std::size_t same = connections_of(address);
  const auto connection = std::make_shared<Connection>(std::move(socket), address, shared);
  if (all < limits.connections && same < limits.connections_of_address) {
    asio::co_spawn(shared.context, connection->run(), ignore);
    return;
  }
  Problem problem =
      make_problem(problems::kTooMany,
                   all >= limits.connections
                       ? fmt::format("{} connections are the most", limits.connections)
                       : fmt::format("{} connections of one address are the most", limits.connections_of_address),
                   std::chrono::seconds(5));
  asio::co_spawn(shared.context, connection->refuse(std::move(problem)), ignore);
}

void Listener::State::begin_to_stop() {
  if (shared.stopping) return;
  shared.stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  shared.wake_all();
  for (Connection* const connection : shared.connections) connection->close_if_idle();
  if (shared.connections.empty()) return;
  shared.stop_timer.expires_after(shared.limits.stop_time);
  shared.stop_timer.async_wait([this](error_code error) {
    if (error) return;
    for (Connection* const connection : shared.connections) connection->close();
  });
}

}  // namespace unianimate::http

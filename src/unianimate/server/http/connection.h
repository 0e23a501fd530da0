// One connection: a coroutine that reads requests and writes answers, all connections in one thread. For listener.cpp.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "unianimate/server/http/listener.h"

namespace unianimate::http {

class Connection;

/// What the connections of a listener share. All but the pool and what is atomic belongs to the thread of the sockets.
struct Shared {
  explicit Shared(const Limits& of) : limits(of), pool(of.threads) {}

  const Limits limits;
  boost::asio::io_context context{1};
  boost::asio::thread_pool pool;
  boost::asio::steady_timer stop_timer{context};  ///< of what is still under way at the stop
  const Service* service = nullptr;
  std::set<Connection*> connections;
  std::set<boost::asio::steady_timer*> waiting;
  std::uint64_t changes = 0;  ///< calls of Listener::changed()
  std::size_t uploads = 0;
  std::atomic<std::size_t> streams{0};
  bool stopping = false;

  /// Until there was another change than `seen`, something woke the timer, or the time is over.
  boost::asio::awaitable<void> wait_for_change(boost::asio::steady_timer& timer, std::uint64_t seen,
                                               std::chrono::milliseconds longest);
  void wake_all();
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, std::string address, Shared& shared);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  /// Whether it holds a stream that not everybody may have: behind a proxy all of them are of one address.
  [[nodiscard]] bool is_trusted_stream() const noexcept { return trusted_stream_; }

  /// Until either side closes.
  boost::asio::awaitable<void> run();
  /// Says why nothing is answered here, and closes.
  boost::asio::awaitable<void> refuse(Problem problem);
  void close_if_idle();
  void close();

 private:
  struct Incoming;
  struct Admitted;
  class Deadline;

  boost::asio::awaitable<bool> wait_for_request();
  /// Whether another request may follow.
  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<bool> read_head(Incoming& incoming);
  boost::asio::awaitable<Response> answer(Incoming& incoming);
  boost::asio::awaitable<void> read_body(Incoming& incoming, BodySink& sink, const Route& route);
  boost::asio::awaitable<Response> settle(Response response, Incoming& incoming);

  boost::asio::awaitable<void> write(Incoming& incoming, Response& response, bool keep);
  void tell_of(const Incoming& incoming, int status) const;
  boost::asio::awaitable<void> write_file(const FilePart& part);
  boost::asio::awaitable<void> write_stream(const Stream& stream, bool chunked);
  boost::asio::awaitable<void> write_text(std::string_view text);
  boost::asio::awaitable<void> watch_for_end();
  boost::asio::awaitable<void> linger();

  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  boost::asio::steady_timer timer_;           ///< of what waits for changes
  boost::asio::steady_timer deadline_timer_;  ///< of what is read or written now
  std::uint64_t deadlines_ = 0;               ///< tells the present one from those before
  std::string address_;
  Shared& shared_;
  bool idle_ = false;
  bool first_ = true;
  bool trusted_stream_ = false;
  bool watched_ = false;  ///< watch_for_end() reads
  bool gone_ = false;     ///< the other end of a stream
};

}  // namespace unianimate::http

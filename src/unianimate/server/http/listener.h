// The socket that requests come to, and the threads that answer them: one for all sockets, and a few for handlers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "unianimate/server/http/access.h"
#include "unianimate/server/http/message.h"
#include "unianimate/server/http/router.h"

namespace unianimate::http {

struct Limits {
  std::size_t header_bytes = 16'384;
  std::size_t target_bytes = 8'192;
  std::size_t json_bytes = 1'000'000;
  std::size_t unused_json_bytes = 4'096;  ///< of routes that take no body
  std::uint64_t upload_bytes = 4'000'000'000;
  const char* upload_option = "--max-upload";  ///< what refusals say to raise that with
  std::size_t uploads = 4;                     ///< at once
  std::size_t connections = 320;
  std::size_t connections_of_address = 64;  ///< but for streams that a token or a session opened
  std::size_t streams = 200;
  std::size_t threads = 4;  ///< of handlers
  std::chrono::milliseconds header_time{10'000};
  std::chrono::milliseconds idle_time{30'000};    ///< between requests
  std::chrono::milliseconds body_window{30'000};  ///< of a body as many bytes as `body_rate` says have to come in each
  std::uint64_t body_rate = 1'000;                ///< bytes a second
  std::chrono::milliseconds write_time{60'000};   ///< for each piece of an answer
  std::chrono::milliseconds heartbeat{15'000};    ///< of streams
  std::chrono::milliseconds stop_time{10'000};    ///< for what is under way at stop()
};

/// One request that was answered, for logs and measures. A stream that breaks because it cannot say more is told of a
/// second time, as an "internal".
struct Exchange {
  std::string id;
  std::string address;
  std::string method;
  std::string path;
  std::string route;  ///< the pattern; empty where there was none
  int status = 0;
  double seconds = 0;   ///< until the answer was sent; of streams, until its head was
  std::string failure;  ///< what is behind an "internal"; empty for all else
};

/// What a listener answers with. All of it is called from several threads but `observe`, which is from the one of the
/// sockets, so that it has to be short.
struct Service {
  Router router;
  AccessRules access;
  std::function<void(const Exchange&)> observe = {};
};

class Listener {
 public:
  /// Binds at once; with port 0 to a free one. Throws Error(kUsage) for what is no address, Error(kEnvironment) where
  /// it is taken or may not be used.
  Listener(const std::string& address, std::uint16_t port, const Limits& limits);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;

  /// Answers until stop(), then ends what is under way: streams at once, requests when they are answered, at the latest
  /// after Limits::stop_time. To be called once; the service has to outlive it.
  void serve(const Service& service);

  /// From any thread, also before serve(), which then returns at once.
  void stop();
  /// From any thread: streams and waiting answers are asked again.
  void changed();

  [[nodiscard]] std::size_t streams() const noexcept;  ///< that are open now

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace unianimate::http

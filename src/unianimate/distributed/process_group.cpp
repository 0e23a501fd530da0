#include "unianimate/distributed/process_group.h"

#include <c10/util/Logging.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "unianimate/core/error.h"
#include "unianimate/distributed/bound_socket.h"
#include "unianimate/distributed/group_environment.h"
#include "unianimate/distributed/heartbeat.h"

namespace unianimate::distributed {

namespace {

/// Bounds the memory that travelling takes beside the tensors themselves.
constexpr std::int64_t kParcelBytes = std::int64_t{256} << 20;

/// What one that ended on its own has to print its message and to end in, before the others do for its sake.
constexpr std::chrono::seconds kTimeToSayWhy{1};

/// Gloo's own limit for an operation: long, because waiting is normal and the heartbeat tells who is lost.
constexpr std::chrono::hours kLongestOperation{24 * 30};
constexpr std::chrono::milliseconds kBetweenQuestions{250};

/// What c10d or Gloo says, without their stack traces and the "[file:line] " before it.
std::string reason(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  text.resize(std::min(text.size(), text.find('\n')));
  const std::size_t place_end = text.find("] ");
  if (text.starts_with('[') && place_end != std::string::npos) text.erase(0, place_end + 2);
  return printable(text);
}

/// From now on c10d does not log what it throws anyway, also in threads of its own, unless the user asks for its log.
void be_quiet() {
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = c10::GLOG_FATAL;
}

/// Gloo writes to the sockets of those that may have gone, and reports what it meets there unless the signal ends the
/// process first. Whoever takes the signal himself keeps it.
void ignore_broken_pipes() {
  struct sigaction now {};
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) std::signal(SIGPIPE, SIG_IGN);
}

/// This machine's address on the way to `host`, as a number. Nothing is sent.
std::string own_address_towards(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) {
    throw Error(ErrorKind::kEnvironment,
                "the machine '{}' named by MASTER_ADDR could not be found ({}); give the address of the machine where "
                "rank 0 runs",
                printable(host), ::gai_strerror(status));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int descriptor = ::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
    if (descriptor < 0) continue;
    sockaddr_storage own{};
    socklen_t length = sizeof(own);
    std::array<char, NI_MAXHOST> text{};
    const bool known = ::connect(descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
                       ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
                       ::getnameinfo(reinterpret_cast<sockaddr*>(&own), length, text.data(), text.size(), nullptr, 0,
                                     NI_NUMERICHOST) == 0;
    ::close(descriptor);
    if (known) return text.data();
  }
  throw Error(ErrorKind::kEnvironment, "no network leads to the machine '{}' named by MASTER_ADDR", printable(host));
}

auto network_device(const GroupEnvironment& environment) {
  if (const char* interface = std::getenv("GLOO_SOCKET_IFNAME"); interface != nullptr && *interface != '\0')
    return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
  return c10d::ProcessGroupGloo::createDeviceForHostname(
      own_address_towards(environment.master_address, environment.master_port));
}

/// The socket at which rank 0 serves the store: on the address that it is named by, where that is a number of this
/// machine; else, as behind a name, which may mean another address elsewhere, on all (nothing is returned).
std::optional<int> master_socket(const GroupEnvironment& environment) {
  if (environment.master_socket >= 0) return environment.master_socket;
  const std::string& address = environment.master_address;
  auto bound = BoundSocket::open(address == "localhost" ? "127.0.0.1" : address, environment.master_port);
  return bound ? std::optional(bound->release()) : std::nullopt;
}

/// A connection to the store where the processes meet.
c10::intrusive_ptr<c10d::Store> connect(const GroupEnvironment& environment, const c10d::TCPStoreOptions& options) {
  return c10::make_intrusive<c10d::PrefixStore>(
      "unianimate/" + environment.attempt, c10::make_intrusive<c10d::TCPStore>(environment.master_address, options));
}

c10d::TCPStoreOptions options_to_call(const GroupEnvironment& environment, const Patience& patience) {
  c10d::TCPStoreOptions options;
  options.port = environment.master_port;
  // Who only calls tries it twice.
  options.timeout = patience.to_meet / 2;
  options.waitWorkers = false;
  return options;
}

c10::intrusive_ptr<c10d::Store> meet(const GroupEnvironment& environment, const Patience& patience) {
  c10d::TCPStoreOptions options = options_to_call(environment, patience);
  options.numWorkers = static_cast<std::size_t>(environment.size);
  options.waitWorkers = true;
  if (environment.rank == 0 && !environment.store_is_served) {
    options.isServer = true;
    options.masterListenFd = master_socket(environment);
    options.timeout = patience.to_meet;
  }
  auto store = connect(environment, options);
  if (store->add("rank/" + std::to_string(environment.rank), 1) != 1) {
    throw Error(ErrorKind::kUsage, "two processes of the group have the rank {}; give each its own", environment.rank);
  }
  return store;
}

/// Lays tensors of one type end to end, lets `travel` change the whole, and puts it back.
template <typename Travel>
void travel_together(c10::ArrayRef<at::Tensor> tensors, at::ScalarType type, const Travel& travel) {
  std::vector<at::Tensor> flat;
  flat.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) flat.push_back(tensor.reshape(-1));
  at::Tensor whole = at::cat(flat).to(at::kCPU, type);
  travel(whole);
  if (!tensors.front().is_cpu()) whole = whole.to(tensors.front().device());
  std::int64_t begin = 0;
  for (const at::Tensor& tensor : tensors) {
    tensor.copy_(whole.narrow(0, begin, tensor.numel()).view(tensor.sizes()));
    begin += tensor.numel();
  }
}

/// Calls `parcel` with neighbours of one type, as many as are to travel together.
template <typename Parcel>
void in_parcels(c10::ArrayRef<at::Tensor> tensors, const Parcel& parcel) {
  for (std::size_t begin = 0; begin < tensors.size();) {
    auto bytes = static_cast<std::int64_t>(tensors[begin].nbytes());
    std::size_t end = begin + 1;
    for (; end < tensors.size() && tensors[end].scalar_type() == tensors[begin].scalar_type(); ++end) {
      bytes += static_cast<std::int64_t>(tensors[end].nbytes());
      if (bytes > kParcelBytes) break;
    }
    parcel(tensors.slice(begin, end - begin));
    begin = end;
  }
}

}  // namespace

/// What a group of more than one consists of.
class ProcessGroup::Connections {
 public:
  Connections(const GroupEnvironment& environment, const Patience& patience) : name_(environment) {
    be_quiet();
    try {
      auto options = c10d::ProcessGroupGloo::Options::create(patience.to_meet);
      options->devices.push_back(network_device(environment));
      store_ = meet(environment, patience);
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store_, environment.rank, environment.size, options);
      group_->barrier()->wait();
      group_->setTimeout(kLongestOperation);
      heartbeat_ = std::make_unique<Heartbeat>(connect(environment, options_to_call(environment, patience)),
                                               environment.rank, environment.size, patience.silence);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      throw Error(ErrorKind::kEnvironment,
                  "rank {} could not join the {} processes that meet at {}:{} within {} s; see that each is started "
                  "and can reach that address ({})",
                  environment.rank, environment.size, printable(environment.master_address), environment.master_port,
                  std::chrono::duration_cast<std::chrono::seconds>(patience.to_meet).count(), reason(error));
    }
  }

  /// Gloo's threads wait for one that is lost for as long as it may take, and are left to do so.
  ~Connections() {
    if (!abandoned_) return;
    static_cast<void>(group_.release());
    static_cast<void>(store_.release());
  }
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  void require_all() const {
    if (const std::string lost = heartbeat_->lost(); !lost.empty()) throw Error(ErrorKind::kEnvironment, loss(lost));
  }

  void sum(at::Tensor& tensor) {
    std::vector<at::Tensor> tensors{tensor};
    finish([&] { return group_->allreduce(tensors); });
  }

  void broadcast(at::Tensor& tensor, int root) {
    std::vector<at::Tensor> tensors{tensor};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    finish([&] { return group_->broadcast(tensors, options); });
  }

  void barrier() {
    finish([&] { return group_->barrier(); });
  }

 private:
  template <typename Start>
  void finish(const Start& start) {
    try {
      const auto work = start();
      while (!is_done_soon(*work, kBetweenQuestions)) {
        const std::string lost = heartbeat_->lost();
        // The last to leave may have gone once its own part was done.
        if (lost.empty() || is_done_soon(*work, kTimeToSayWhy)) continue;
        abandoned_ = true;
        throw Error(ErrorKind::kEnvironment, loss(lost));
      }
      work->wait();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      std::this_thread::sleep_for(kTimeToSayWhy);
      throw Error(ErrorKind::kEnvironment,
                  loss(fmt::format("one of them has ended, see its message ({})", reason(error))));
    }
  }

  static bool is_done_soon(c10d::Work& work, std::chrono::milliseconds time) {
    try {
      if (!work.isCompleted()) work.wait(time);
    } catch (const std::exception&) {
      // That time is over, or what the operation ended with, which it throws again.
    }
    return work.isCompleted();
  }

  [[nodiscard]] std::string loss(std::string_view how) const {
    return fmt::format("rank {} of {} lost the other processes: {}", name_.rank, name_.size, how);
  }

  GroupEnvironment name_;
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  std::unique_ptr<Heartbeat> heartbeat_;
  bool abandoned_ = false;
};

ProcessGroup::ProcessGroup(at::Device device, int rank, int size, int local_rank)
    : device_(device), rank_(rank), size_(size), local_rank_(local_rank) {}

ProcessGroup::~ProcessGroup() = default;

std::unique_ptr<ProcessGroup> ProcessGroup::from_environment(at::Device device, const Patience& patience) {
  const GroupEnvironment environment = read_group_environment();
  std::unique_ptr<ProcessGroup> group(
      new ProcessGroup(device, environment.rank, environment.size, environment.local_rank));
  if (environment.size == 1) return group;
  ignore_broken_pipes();
  group->connections_ = std::make_unique<Connections>(environment, patience);
  return group;
}

std::unique_ptr<ProcessGroup> ProcessGroup::of_one() {
  return std::unique_ptr<ProcessGroup>(new ProcessGroup(at::kCPU, 0, 1, 0));
}

void ProcessGroup::sum(const std::vector<at::Tensor>& tensors) {
  if (size_ == 1) return;
  const at::NoGradGuard no_grad;
  in_parcels(tensors, [&](c10::ArrayRef<at::Tensor> parcel) {
    const at::ScalarType type = parcel.front().scalar_type();
    const bool short_floats = type == at::kHalf || type == at::kBFloat16;
    travel_together(parcel, short_floats ? at::kFloat : type, [&](at::Tensor& whole) { connections_->sum(whole); });
  });
}

void ProcessGroup::broadcast(const std::vector<at::Tensor>& tensors, int root) {
  if (size_ == 1) return;
  const at::NoGradGuard no_grad;
  in_parcels(tensors, [&](c10::ArrayRef<at::Tensor> parcel) {
    travel_together(parcel, parcel.front().scalar_type(), [&](at::Tensor& whole) {
      at::Tensor bytes = whole.view(at::kByte);
      connections_->broadcast(bytes, root);
    });
  });
}

void ProcessGroup::barrier() {
  if (size_ > 1) connections_->barrier();
}

void ProcessGroup::require_all() const {
  if (size_ > 1) connections_->require_all();
}

}  // namespace unianimate::distributed

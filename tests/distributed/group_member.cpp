// One process of the groups in process_group_test.cpp: group_member COUNT TASK. Alone, it starts COUNT copies of
// itself.
#include <ATen/ATen.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/distributed/group_environment.h"
#include "unianimate/distributed/local_launch.h"
#include "unianimate/distributed/process_group.h"

namespace {

using unianimate::distributed::Patience;
using unianimate::distributed::ProcessGroup;

constexpr int kWrong = 9;
constexpr int kOwnFailure = 7;
constexpr int kInterrupted = 130;
constexpr std::chrono::seconds kLong{60};
constexpr Patience kPatience{std::chrono::seconds(10), std::chrono::seconds(3)};

volatile std::sig_atomic_t g_interrupted = 0;

int expect(bool right, const char* what) {
  if (!right) std::cerr << "wrong: " << what << "\n";
  return right ? 0 : kWrong;
}

int sum(ProcessGroup& group) {
  const at::Tensor matrix = at::full({2, 3}, group.rank() + 1.0).t();
  at::Tensor weight = at::full({4}, 0.5 * group.rank());
  weight.requires_grad_();
  const at::Tensor half = at::full({3}, 1.0 + group.rank(), at::kBFloat16);
  const at::Tensor count = at::full({}, std::int64_t{10} + group.rank(), at::kLong);
  const at::Tensor nothing = at::empty({0});
  group.sum({matrix, weight, half, count, nothing});
  group.sum({});
  const int n = group.size();
  const int ranks = n * (n - 1) / 2;
  return expect(at::equal(matrix, at::full({3, 2}, static_cast<double>(ranks + n))), "the sum of a view") +
         expect(at::equal(weight.detach(), at::full({4}, 0.5 * ranks)), "the sum of a leaf") +
         expect(at::equal(half, at::full({3}, static_cast<double>(ranks + n), at::kBFloat16)), "the sum in 16 bits") +
         expect(count.item<std::int64_t>() == 10 * n + ranks, "the sum of whole numbers");
}

int broadcast(ProcessGroup& group) {
  const int root = group.size() - 1;
  const auto made = [](int rank) {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(rank));
    return std::vector<at::Tensor>{at::randn({5, 7}, generator), at::randn({3}, generator).to(at::kBFloat16),
                                   at::randn({2, 2}, generator).to(at::kHalf), at::full({1}, rank == 1, at::kBool)};
  };
  const std::vector<at::Tensor> tensors = made(group.rank());
  group.broadcast(tensors, root);
  int wrong = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    wrong += expect(at::equal(tensors[i], made(root)[i]), "the broadcast from the last rank");
  return wrong;
}

/// What one has done before a barrier is there for all behind it, round after round.
int barrier(ProcessGroup& group) {
  constexpr int kRounds = 20;
  const std::filesystem::path folder = std::getenv("UNIANIMATE_TEST_FOLDER");
  int wrong = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::filesystem::path sign = folder / std::to_string(round);
    if (group.rank() == round % group.size()) std::ofstream(sign) << "done";
    group.barrier();
    wrong += expect(std::filesystem::exists(sign), "the barrier");
  }
  return wrong;
}

/// The addresses, as /proc writes them, of the sockets of this process that listen.
std::vector<std::string> listening_addresses() {
  std::set<std::string> own;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    own.insert(std::filesystem::read_symlink(entry.path(), gone).string());
  }
  constexpr const char* kListening = "0A";
  std::vector<std::string> found;
  for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string number, local, remote, state, skipped, inode;
      fields >> number >> local >> remote >> state;
      for (int i = 0; i < 5; ++i) fields >> skipped;
      fields >> inode;
      if (state == kListening && own.contains("socket:[" + inode + "]")) found.push_back(local);
    }
  }
  return found;
}

int listeners(ProcessGroup& group) {
  const std::vector<std::string> addresses = listening_addresses();
  int wrong = expect(group.rank() > 0 || !addresses.empty(), "somebody listens");
  constexpr std::string_view kLoopback = "0100007F:";
  for (const std::string& address : addresses) wrong += expect(address.starts_with(kLoopback), address.c_str());
  group.barrier();
  return wrong;
}

/// Who writes to somebody that has gone is told so, and lives.
int write_to_nobody(ProcessGroup& group) {
  std::array<int, 2> ends{};
  int wrong = expect(::pipe(ends.data()) == 0, "a pipe");
  ::close(ends[0]);
  wrong += expect(::write(ends[1], "", 1) == -1 && errno == EPIPE, "EPIPE");
  ::close(ends[1]);
  group.barrier();
  return wrong;
}

/// A file of the process table says "T" for one that is stopped.
bool is_stopped(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/stat");
  std::string text{std::istreambuf_iterator<char>(status), {}};
  const std::size_t name_end = text.rfind(')');
  return name_end != std::string::npos && text.size() > name_end + 2 && text[name_end + 2] == 'T';
}

/// Stops itself while it works with the others; nobody continues it but whoever ends it.
int stop_self(ProcessGroup& group) {
  group.barrier();
  ::raise(SIGSTOP);
  group.sum({at::ones({1000})});
  return kWrong;
}

/// All stop for longer than one may be silent, and go on together.
int pause_all(ProcessGroup& group, const Patience& patience) {
  constexpr std::chrono::milliseconds kPoll{10};
  group.barrier();
  const pid_t self = ::getpid();
  // Whoever wakes it is a process of its own.
  if (::fork() == 0) {
    while (!is_stopped(self)) std::this_thread::sleep_for(kPoll);
    std::this_thread::sleep_for(3 * patience.silence / 2);
    ::kill(self, SIGCONT);
    ::_exit(0);
  }
  ::raise(SIGSTOP);
  group.sum({at::ones({1000})});
  group.barrier();
  return 0;
}

int wait_for_interruption() {
  // The second interruption would end it, as it ends the program.
  std::signal(SIGINT, [](int) {
    if (g_interrupted != 0) ::_exit(kWrong);
    g_interrupted = 1;
  });
  std::cout << "waiting" << std::endl;
  const auto begin = std::chrono::steady_clock::now();
  while (g_interrupted == 0 && std::chrono::steady_clock::now() - begin < kLong)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return g_interrupted != 0 ? kInterrupted : kWrong;
}

int perform(ProcessGroup& group, const std::string& task) {
  if (task == "sum") return sum(group);
  if (task == "broadcast") return broadcast(group);
  if (task == "barrier") return barrier(group);
  if (task == "listeners") return listeners(group);
  if (task == "write_to_nobody") return write_to_nobody(group);
  if (task == "places") {
    std::cout << group.rank() << "/" << group.size() << "/" << group.local_rank() << "\n";
    return 0;
  }
  if (task == "threads") {
    std::cout << std::getenv("OMP_NUM_THREADS") << "\n";
    return 0;
  }
  const bool last = group.rank() == group.size() - 1;
  if (task == "last_leaves" && last) return kOwnFailure;
  if (task == "last_crashes" && last) ::raise(SIGKILL);
  if (task == "last_leaves_others_work") {
    if (last) return kOwnFailure;
    std::this_thread::sleep_for(kLong);
  }
  if (task == "last_stops" && last) return stop_self(group);
  if (task == "first_stops" && group.rank() == 0) return stop_self(group);
  if (task == "last_stops" || task == "first_stops") group.barrier();
  if (task == "last_is_slow" && last) std::this_thread::sleep_for(2 * kPatience.silence);
  if (task == "all_pause") return pause_all(group, kPatience);
  if (task == "wait_for_interruption") return wait_for_interruption();
  group.sum({at::ones({1000})});
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return kWrong;
  try {
    constexpr int kDecimal = 10;
    const auto count = static_cast<int>(std::strtol(argv[1], nullptr, kDecimal));
    if (count > 1 && unianimate::distributed::read_group_environment().size == 1) {
      const auto outcome = unianimate::distributed::run_on_this_machine(count, argv);
      if (outcome.exit_status != 0) std::cerr << "error: " << outcome.message << std::endl;
      return outcome.exit_status;
    }
    const auto group = ProcessGroup::from_environment(at::kCPU, kPatience);
    return perform(*group, argv[2]);
  } catch (const unianimate::Error& error) {
    if (!unianimate::distributed::tell_launcher(error.what())) std::cerr << "error: " << error.what() << std::endl;
    return unianimate::exit_status(error.kind());
  }
}

// Processes that work on one job together: sums and copies of tensors between them.
#pragma once

#include <ATen/ATen.h>

#include <chrono>
#include <memory>
#include <vector>

namespace unianimate::distributed {

/// How long to wait for the others. One that dies is noticed at once, by its closed connections, and one that is
/// stopped or whose machine is lost by its silence: every process says each second that it lives. One that works is
/// waited for as long as its work takes.
struct Patience {
  std::chrono::milliseconds to_meet = std::chrono::minutes(2);  ///< until all have started
  std::chrono::milliseconds silence = std::chrono::seconds(8);  ///< until a silent one is lost
};

/// The processes that work on one job together. A group of one needs no network. All must call the same operations in
/// the same order, with tensors of the same sizes and types.
///
/// The tensors travel over TCP with Gloo, those on a GPU through the host's memory: NCCL's side of libtorch can only be
/// had by linking with CUDA, which this program does not.
///
/// Every operation throws Error(kEnvironment), in one sentence, when another process has ended or is silent; the group
/// can then only be destroyed.
class ProcessGroup {
 public:
  /// Joins the group of read_group_environment() and returns when all have come. `device`: where the tensors given
  /// to the operations lie. The others reach this process at the address from which MASTER_ADDR is reached, or at
  /// that of the network interface in GLOO_SOCKET_IFNAME. From then on this process ignores SIGPIPE, unless it handles
  /// it. Throws Error(kUsage) for nonsense or a half-set environment,
  /// Error(kEnvironment) when the address cannot be used or the others do not come in time.
  static std::unique_ptr<ProcessGroup> from_environment(at::Device device, const Patience& patience = {});

  /// A group of this process alone, whatever the environment says.
  static std::unique_ptr<ProcessGroup> of_one();

  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] int local_rank() const { return local_rank_; }

  /// Replaces each tensor by its sum over all processes, the same bits in each. Many tensors travel together. Types of
  /// 16 bits are summed in 32 and rounded once. Tensors may be leaves that require gradients.
  void sum(const std::vector<at::Tensor>& tensors);

  /// Replaces each tensor by that of `root`, bit for bit.
  void broadcast(const std::vector<at::Tensor>& tensors, int root = 0);

  /// Returns when all have called it.
  void barrier();

  /// Throws as an operation would, where another process is known to be lost; does nothing else.
  void require_all() const;

 private:
  class Connections;
  ProcessGroup(at::Device device, int rank, int size, int local_rank);

  at::Device device_;
  int rank_;
  int size_;
  int local_rank_;
  std::unique_ptr<Connections> connections_;  ///< null in a group of one
};

}  // namespace unianimate::distributed

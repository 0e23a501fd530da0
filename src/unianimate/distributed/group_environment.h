// Which place in a job of several processes the environment gives to this one.
#pragma once

#include <cstdint>
#include <string>

namespace unianimate::distributed {

struct GroupEnvironment {
  int rank = 0;                ///< of this process among all, from 0
  int size = 1;                ///< how many processes there are
  int local_rank = 0;          ///< of this process among those of its machine, from 0; picks the GPU
  std::string master_address;  ///< a name or number of the machine where rank 0 runs; empty in a group of one
  std::uint16_t master_port = 0;
  /// Whether whoever started the processes serves the store at which they meet (torchrun does at times), not rank 0.
  bool store_is_served = false;
  int master_socket = -1;     ///< where whoever started rank 0 has bound it to that port already; else -1
  std::string attempt = "0";  ///< told apart where processes are started again and meet at the same store
};

/// The first of these that is set at all, and must be whole: RANK and WORLD_SIZE (torchrun; with LOCAL_RANK),
/// SLURM_PROCID and SLURM_NTASKS (srun; with SLURM_LOCALID), OMPI_COMM_WORLD_RANK and _SIZE (Open MPI; with
/// _LOCAL_RANK), PMI_RANK and PMI_SIZE (MPICH, Intel MPI; with MPI_LOCALRANKID). A group of more than one needs
/// MASTER_ADDR and MASTER_PORT as well; UNIANIMATE_MASTER_SOCKET is set by local_launch.h. Without a local rank it is
/// the rank. A group of one where none is set. Throws Error(kUsage) naming the variable, what it should hold and what
/// it holds.
GroupEnvironment read_group_environment();

}  // namespace unianimate::distributed

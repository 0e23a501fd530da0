// What the process gets from whoever starts it, made fit for work.
#pragma once

namespace unianimate::cli {

/// To be called before anything opens a file: those of the descriptors 0, 1 and 2 that are closed are opened on
/// /dev/null, so that no file becomes one of them. Writing to a pipe that nobody reads, or beyond the limit for files,
/// then fails with an error (EPIPE, EFBIG) instead of ending the process.
void prepare_descriptors();

/// "unianimate" in lists of processes, also where the program has started itself anew, which would be called "exe".
void name_process();

/// Sets in the environment what makes long computations faster, unless the user has set it; to be called before
/// anything computes:
/// - THP_MEM_ALLOC_ENABLE: libtorch then asks for huge pages, which saves most of the page faults of large tensors; it
///   is read at the first allocation;
/// - GOMP_SPINCOUNT: OpenMP's threads otherwise wait for each other by spinning for so long that work in small
///   operations takes many times as long on a machine whose cores other programs use as well. It is read only when the
///   library is loaded, so the program is started anew with the same arguments where this was not set.
/// Returns where nothing needs to be done or that fails.
void tune_environment(char** arguments);

/// Makes the C library keep freed memory for the next allocation: a training frees and takes the same tensors again in
/// every step, and giving them back to the system in between costs about a tenth of the time.
void keep_freed_memory() noexcept;

}  // namespace unianimate::cli

// Memory: what this process uses, what the machine has, and sizes as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace unianimate {

/// Bytes of resident memory of this process at its highest since the last reset_peak_memory() (or its start).
std::int64_t peak_resident_bytes();
/// Bytes of resident memory now.
std::int64_t resident_bytes();
/// Lets peak_resident_bytes() start again from now; does nothing where the kernel does not offer it.
void reset_peak_memory();
/// Gives what this process has freed, and its allocator keeps for later, back to the system.
void release_freed_memory() noexcept;
/// Bytes that can still be taken without swapping: the smallest of the machine's and the control groups' room.
std::int64_t available_memory_bytes();

/// "9GB", "512 MiB", "1.5G" or plain bytes -> bytes (GB = 10^9, GiB and G = 2^30). Throws Error(kUsage) that names
/// `what` for anything else.
std::int64_t parse_bytes(std::string_view text, std::string_view what);
/// Bytes for people: "8.71 GB" (GB = 10^9).
std::string format_bytes(std::int64_t bytes);

}  // namespace unianimate

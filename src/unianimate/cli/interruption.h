// Ctrl-C and SIGTERM: asked to stop, the program ends where it can do so cleanly.
#pragma once

namespace unianimate::cli {

/// From now on the first SIGINT or SIGTERM sets a flag and says so on stderr; a second one ends the process at once.
void catch_interruptions();

/// Whether the flag is set.
bool interrupted() noexcept;

}  // namespace unianimate::cli

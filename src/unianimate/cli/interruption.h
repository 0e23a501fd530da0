// Ctrl-C, SIGTERM and SIGHUP: asked to stop, the program ends where it can do so cleanly.
#pragma once

namespace unianimate::cli {

/// From now on the first SIGINT, SIGTERM or SIGHUP sets a flag, of which SIGINT is told of on stderr; a second one ends
/// the process at once; SIGHUP stays ignored under nohup.
void catch_interruptions();

/// Whether the flag is set.
bool interrupted() noexcept;

}  // namespace unianimate::cli

// How many threads to work with.
#pragma once

namespace unianimate {

/// `wanted`, or where that is 0 one for each processor that this process may run on (its affinity), or for each that
/// its control groups give it the time of, rounded up, where those are fewer.
int thread_count(int wanted);

/// For libraries that choose by themselves where they are given 0: that, except where control groups, of which they do
/// not know, allow fewer than there are processors.
int library_threads(int wanted);

}  // namespace unianimate

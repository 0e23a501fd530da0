// How many threads to work with.
#pragma once

namespace unianimate {

/// `wanted`, or where that is 0 one for each core of the machine.
int thread_count(int wanted);

}  // namespace unianimate

// What one process does for all.
#pragma once

#include <functional>

#include "unianimate/distributed/process_group.h"

namespace unianimate::training {

/// Runs `work` in the first process while the others wait, however long that takes. Throws what it throws, there; in
/// the others Error(kEnvironment) when the first process has failed.
void in_first_process(distributed::ProcessGroup& group, const std::function<void()>& work);

}  // namespace unianimate::training

#include "unianimate/core/progress.h"

#include "unianimate/core/error.h"

namespace unianimate {

void Progress::throw_if_cancelled() const {
  if (cancelled()) throw Error(ErrorKind::kCancelled, "stopped on request");
}

}  // namespace unianimate

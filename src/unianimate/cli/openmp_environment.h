// How the threads of OpenMP wait for each other.
#pragma once

namespace unianimate::cli {

/// OpenMP's threads wait by spinning for a long while, which makes work in small operations many times slower on a
/// machine whose cores other programs use as well. Unless OMP_WAIT_POLICY or GOMP_SPINCOUNT says otherwise, this sets
/// GOMP_SPINCOUNT to a short while and starts the program anew with the same arguments, because the variable is read
/// only once, when the library is loaded. Returns where nothing needs to be done or that fails.
void restart_with_short_spinning(char** arguments);

}  // namespace unianimate::cli

// The program `unianimate`.
#include "unianimate/cli/invocation.h"
#include "unianimate/cli/process_environment.h"

int main(int argc, char** argv) {
  unianimate::cli::prepare_descriptors();
  unianimate::cli::name_process();
  return unianimate::cli::invoke(argc, argv);
}

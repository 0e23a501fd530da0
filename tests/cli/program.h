// Runs the program as a user does.
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace unianimate::testing {

struct ProgramResult {
  int status = -1;  ///< exit status; 128 + signal where one ended the program
  std::string out;
  std::string err;
};

struct ProgramOptions {
  std::filesystem::path folder = {};                                  ///< to run in; empty: the test's own
  std::vector<std::pair<std::string, std::string>> environment = {};  ///< set beside the test's own
  std::string interrupt_after = {};  ///< `signal` is sent once stderr holds this text; empty: never
  int signal = SIGINT;
  bool unread_output = false;    ///< stdout is a pipe that nobody reads
  bool full_output = false;      ///< nothing can be written to stdout
  bool full_messages = false;    ///< nothing can be written to stderr
  std::vector<int> closed = {};  ///< descriptors that are not open
  rlim_t largest_file = RLIM_INFINITY;
};

/// Throws std::runtime_error where the program cannot be started.
ProgramResult run_program(const std::vector<std::string>& arguments, const ProgramOptions& options = {});

}  // namespace unianimate::testing

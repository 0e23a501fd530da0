// Runs the program as a user does.
#pragma once

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
  std::filesystem::path folder;                                  ///< to run in; empty: the test's own
  std::vector<std::pair<std::string, std::string>> environment;  ///< set beside the test's own
  std::string interrupt_after;  ///< `signal` is sent once stderr holds this text; empty: never
  int signal = SIGINT;
  bool unread_output = false;  ///< stdout is a pipe that nobody reads
};

/// Throws std::runtime_error where the program cannot be started.
ProgramResult run_program(const std::vector<std::string>& arguments, const ProgramOptions& options = {});

}  // namespace unianimate::testing

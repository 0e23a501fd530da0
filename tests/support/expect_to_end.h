// For tests of threads that could wait for each other for ever.
#pragma once

#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>

namespace unianimate::testing {

/// Runs it within a time in which anything that hangs is noticed.
template <typename Action>
void expect_to_end(const Action& action) {
  auto done = std::async(std::launch::async, action);
  if (done.wait_for(std::chrono::minutes(1)) != std::future_status::ready) {
    std::cerr << "this hangs" << std::endl;
    std::abort();
  }
  done.get();
}

}  // namespace unianimate::testing

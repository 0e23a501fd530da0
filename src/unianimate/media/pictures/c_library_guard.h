// Inside media: libjpeg and libpng report errors through a callback that must not return; this brings them back.
#pragma once

#include <array>
#include <csetjmp>

namespace unianimate {

/// Where an error callback leaves its message and jumps to.
struct FailurePoint {
  std::jmp_buf jump;
  std::array<char, 256> message{};

  [[noreturn]] void jump_back() { std::longjmp(jump, 1); }
};

/// Runs `step` and says whether it came to its end; a callback's FailurePoint::jump_back() makes it false. `step` is
/// jumped over, so neither it nor what it calls may own anything that needs a destructor.
template <typename Step>
[[nodiscard]] bool completes(FailurePoint& point, const Step& step) {
  if (setjmp(point.jump) != 0) return false;
  step();
  return true;
}

}  // namespace unianimate

// How often activations are put into 8 bits.
#pragma once

#include <ATen/record_function.h>

#include <memory>
#include <string_view>

namespace unianimate::testing {

/// Counts on this thread, from now on.
class QuantizationCount {
 public:
  QuantizationCount() {
    calls() = 0;
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback([](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
          if (std::string_view(function.name()) == "unianimate::quantize") ++calls();
          return nullptr;
        }).scopes({at::RecordScope::USER_SCOPE}));
  }
  ~QuantizationCount() { at::removeCallback(handle_); }
  QuantizationCount(const QuantizationCount&) = delete;
  QuantizationCount& operator=(const QuantizationCount&) = delete;

  [[nodiscard]] int value() const { return calls(); }

 private:
  static int& calls() {
    thread_local int count = 0;
    return count;
  }
  at::CallbackHandle handle_ = 0;
};

}  // namespace unianimate::testing

#include "operator_profile.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <map>
#include <memory>

#include "stopwatch.h"

namespace unianimate::benchmarks {

namespace {

struct OpenCall {
  Stopwatch watch;
  double inner_seconds = 0;
};

thread_local std::vector<OpenCall> open_calls;
thread_local std::map<std::string, OperatorTime>* totals = nullptr;

std::unique_ptr<at::ObserverContext> on_enter(const at::RecordFunction&) {
  open_calls.emplace_back();
  return nullptr;
}

void on_exit(const at::RecordFunction& function, at::ObserverContext*) {
  const double seconds = open_calls.back().watch.seconds();
  OperatorTime& total = (*totals)[function.name()];
  ++total.calls;
  total.seconds += seconds - open_calls.back().inner_seconds;
  open_calls.pop_back();
  if (!open_calls.empty()) open_calls.back().inner_seconds += seconds;
}

}  // namespace

std::vector<OperatorTime> profile_operators(const std::function<void()>& work) {
  std::map<std::string, OperatorTime> by_name;
  totals = &by_name;
  const at::CallbackHandle handle = at::addThreadLocalCallback(at::RecordFunctionCallback(on_enter, on_exit));
  work();
  at::removeCallback(handle);
  totals = nullptr;
  std::vector<OperatorTime> times;
  for (auto& [name, time] : by_name) {
    time.name = name;
    times.push_back(time);
  }
  std::ranges::sort(times, std::greater<>(), &OperatorTime::seconds);
  return times;
}

}  // namespace unianimate::benchmarks

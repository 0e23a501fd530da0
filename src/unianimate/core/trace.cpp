#include "unianimate/core/trace.h"

#include <ATen/record_function.h>

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/written_mark.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

using TraceClock = std::chrono::steady_clock;

/// Rows of the picture.
enum class TraceRow { kPhases = 1, kSteps, kOperators };

void refuse_other_file(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored) || written_mark(file) == kTraceMark) return;
  throw Error(ErrorKind::kUsage, "{} is no trace of this program and is not replaced; give another file with --profile",
              printable(file.string()));
}

}  // namespace

class Trace::Writer {
 public:
  explicit Writer(const fs::path& file) : output_((refuse_other_file(file), file)), stream_(output_.temporary()) {
    stream_ << fmt::format("{{\"{}\": \"{}\", \"displayTimeUnit\": \"ms\", \"traceEvents\": [\n", kJsonMarkField,
                           kTraceMark);
    name_row(TraceRow::kPhases, "phases");
    name_row(TraceRow::kSteps, "steps");
    name_row(TraceRow::kOperators, "operators");
    at::RecordFunctionCallback callback(&begin_operator, &end_operator);
    callback_ = at::addThreadLocalCallback(callback.scopes({at::RecordScope::FUNCTION, at::RecordScope::USER_SCOPE}));
    writing_here_ = this;
  }

  ~Writer() {
    writing_here_ = nullptr;
    at::removeCallback(callback_);
  }

  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void finish() {
    end_phase();
    stream_ << R"({"ph": "M", "pid": 1, "name": "process_name", "args": {"name": "unianimate"}})"
            << "\n]}\n";
    stream_.close();
    if (!has_phases_) return;
    const fs::path& file = output_.final_path();
    if (!stream_) throw Error(ErrorKind::kEnvironment, "{} could not be written", printable(file.string()));
    refuse_other_file(file);  // what the work has put there meanwhile
    output_.commit();
  }

  void begin_phase(std::string_view name) {
    end_phase();
    phase_.emplace(name);
    has_phases_ = true;
    phase_begin_ = step_begin_ = TraceClock::now();
  }

  void step(std::int64_t done) {
    write(TraceRow::kSteps, phase_.value_or("") + " " + std::to_string(done), step_begin_);
    step_begin_ = TraceClock::now();
  }

 private:
  struct OperatorStart final : at::ObserverContext {
    TraceClock::time_point begin = TraceClock::now();
  };

  static std::unique_ptr<at::ObserverContext> begin_operator(const at::RecordFunction& /*function*/) {
    return std::make_unique<OperatorStart>();
  }

  static void end_operator(const at::RecordFunction& function, at::ObserverContext* context) {
    Writer* const writer = writing_here_;
    const auto* start = dynamic_cast<const OperatorStart*>(context);
    if (writer == nullptr || start == nullptr || writer->operators_ == kMostOperators) return;
    const bool is_last = ++writer->operators_ == kMostOperators;
    writer->write(TraceRow::kOperators, is_last ? "operators from here on are left out" : function.name(),
                  start->begin);
  }

  [[nodiscard]] double microseconds(TraceClock::duration since) const {
    return std::chrono::duration<double, std::micro>(since).count();
  }

  void write(TraceRow row, std::string_view name, TraceClock::time_point begin) {
    stream_ << fmt::format(R"({{"ph": "X", "pid": 1, "tid": {}, "name": {}, "ts": {:.1f}, "dur": {:.1f}}},)"
                           "\n",
                           static_cast<int>(row), nlohmann::json(name).dump(), microseconds(begin - start_),
                           microseconds(TraceClock::now() - begin));
  }

  void name_row(TraceRow row, std::string_view name) {
    stream_ << fmt::format(R"({{"ph": "M", "pid": 1, "tid": {}, "name": "thread_name", "args": {{"name": "{}"}}}},)"
                           "\n",
                           static_cast<int>(row), name);
  }

  void end_phase() {
    if (phase_) write(TraceRow::kPhases, *phase_, phase_begin_);
    phase_.reset();
  }

  static thread_local Writer* writing_here_;

  OutputPath output_;
  std::ofstream stream_;
  at::CallbackHandle callback_ = at::INVALID_CALLBACK_HANDLE;
  TraceClock::time_point start_ = TraceClock::now();
  std::optional<std::string> phase_;
  TraceClock::time_point phase_begin_ = start_;
  TraceClock::time_point step_begin_ = start_;
  bool has_phases_ = false;
  std::int64_t operators_ = 0;
};

thread_local Trace::Writer* Trace::Writer::writing_here_ = nullptr;

Trace::Trace(const fs::path& file) : writer_(std::make_unique<Writer>(file)) {}

Trace::~Trace() {
  if (writer_ == nullptr) return;
  try {
    finish();
  } catch (const Error&) {  // whoever wants to know calls finish()
  }
}

void Trace::finish() {
  const std::unique_ptr<Writer> writer = std::move(writer_);
  writer->finish();
}

void Trace::begin_phase(std::string_view name) {
  writer_->begin_phase(name);
}

void Trace::step(std::int64_t done) {
  writer_->step(done);
}

}  // namespace unianimate

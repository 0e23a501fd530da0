// Any text as the record of a job.
#include "unianimate/core/error.h"
#include "unianimate/studio/job_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unianimate::studio;  // NOLINT(google-build-using-namespace)
  try {
    const JobRecord record = read_job_record(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
    if (record.save_every < 1 || record.preview.every < 0) __builtin_trap();
    const std::string text = job_record_text(record);
    if (job_record_text(read_job_record(text, "fuzz")) != text) __builtin_trap();
  } catch (const unianimate::Error&) {  // refused, as it should be
  }
  return 0;
}

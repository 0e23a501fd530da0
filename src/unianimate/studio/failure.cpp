#include "unianimate/studio/failure.h"

#include <c10/util/Exception.h>

#include <cerrno>
#include <new>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "unianimate/core/error.h"
#include "unianimate/core/error_causes.h"

namespace unianimate::studio {

namespace {

constexpr int kUnexpected = 1;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

Failure out_of_memory() {
  return {"memory ran out; close other programs, or ask for a smaller --size or --context-size, or for --dtype bf16",
          exit_status(ErrorKind::kEnvironment), FailureCause::kOutOfMemory};
}

bool is_full(const std::error_code& code) {
  return code == std::errc::no_space_on_device || code.value() == EDQUOT;
}

/// Errors of the machine end with the system's reason.
FailureCause cause_of(const Error& error) {
  if (error.kind() != ErrorKind::kEnvironment) return FailureCause::kOther;
  const std::string_view message = error.what();
  const auto told = [&](int code) {
    return message.find(std::generic_category().message(code)) != std::string_view::npos;
  };
  return told(ENOSPC) || told(EDQUOT) ? FailureCause::kDiskFull : FailureCause::kOther;
}

}  // namespace

Failure describe_failure(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const DiskFull& error) {
    return {error.what(), exit_status(error.kind()), FailureCause::kDiskFull};
  } catch (const OutOfMemory& error) {
    return {error.what(), exit_status(error.kind()), FailureCause::kOutOfMemory};
  } catch (const InputsChanged& error) {
    return {error.what(), exit_status(error.kind()), FailureCause::kInputsChanged};
  } catch (const Error& error) {
    return {error.what(), exit_status(error.kind()), cause_of(error)};
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::length_error&) {
    return out_of_memory();
  } catch (const c10::OutOfMemoryError&) {
    return out_of_memory();
  } catch (const std::system_error& error) {
    return {fmt::format("the system refused what the work needs: {}", first_line(error.what())),
            exit_status(ErrorKind::kEnvironment),
            is_full(error.code()) ? FailureCause::kDiskFull : FailureCause::kOther};
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    // libtorch's allocator for the CPU has no exception of its own.
    if (message.find("DefaultCPUAllocator") != std::string::npos) return out_of_memory();
    return {"libtorch failed: " + first_line(message), kUnexpected};
  } catch (const std::exception& error) {
    return {fmt::format("something unexpected went wrong: {}", first_line(error.what())), kUnexpected};
  }
}

}  // namespace unianimate::studio

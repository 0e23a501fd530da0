#include "unianimate/studio/failure.h"

#include <c10/util/Exception.h>

#include <new>
#include <stdexcept>
#include <system_error>

#include "unianimate/core/error.h"

namespace unianimate::studio {

namespace {

constexpr int kUnexpected = 1;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

Failure out_of_memory() {
  return {"memory ran out; close other programs, or ask for a smaller --size or --context-size, or for --dtype bf16",
          exit_status(ErrorKind::kEnvironment)};
}

}  // namespace

Failure describe_failure(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const Error& error) {
    return {error.what(), exit_status(error.kind())};
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::length_error&) {
    return out_of_memory();
  } catch (const c10::OutOfMemoryError&) {
    return out_of_memory();
  } catch (const std::system_error& error) {
    return {fmt::format("the system refused what the work needs: {}", first_line(error.what())),
            exit_status(ErrorKind::kEnvironment)};
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

#include "unianimate/studio/failure.h"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <stdexcept>

#include "unianimate/core/error_causes.h"

namespace unianimate::studio {
namespace {

using ::testing::HasSubstr;

template <typename Problem>
Failure failure_of(const Problem& problem) {
  return describe_failure(std::make_exception_ptr(problem));
}

TEST(DescribeFailure, KeepsWhatErrorsSay) {
  const Failure failure = failure_of(Error(ErrorKind::kInput, "the file is empty"));
  EXPECT_EQ(failure.message, "the file is empty");
  EXPECT_EQ(failure.exit_status, 3);
}

TEST(DescribeFailure, SaysWhatHelpsAgainstTooLittleMemory) {
  const c10::SourceLocation here{"", "", 0};
  for (const Failure& failure :
       {failure_of(std::bad_alloc()), failure_of(std::length_error("vector::_M_default_append")),
        failure_of(c10::OutOfMemoryError(here, "CUDA out of memory")),
        failure_of(c10::Error(here, "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"))}) {
    EXPECT_EQ(failure.exit_status, 4);
    EXPECT_THAT(failure.message, HasSubstr("smaller --size or --context-size"));
    EXPECT_THAT(failure.message, HasSubstr("--dtype bf16"));
  }
}

TEST(DescribeFailure, WhatTheSystemRefusesIsTheMachinesFault) {
  const Failure failure = failure_of(std::filesystem::filesystem_error(
      "cannot get the current path", std::make_error_code(std::errc::no_such_file_or_directory)));
  EXPECT_EQ(failure.exit_status, 4);
  EXPECT_THAT(failure.message, HasSubstr("cannot get the current path"));
}

TEST(DescribeFailure, TellsFullDisksAndLackOfMemoryFromOtherFaultsOfTheMachine) {
  EXPECT_EQ(failure_of(DiskFull("{} bytes are missing", 5)).cause, FailureCause::kDiskFull);
  EXPECT_EQ(failure_of(Error(ErrorKind::kEnvironment, "x could not be written: {}", std::strerror(ENOSPC))).cause,
            FailureCause::kDiskFull);
  EXPECT_EQ(
      failure_of(std::filesystem::filesystem_error("x", std::make_error_code(std::errc::no_space_on_device))).cause,
      FailureCause::kDiskFull);
  EXPECT_EQ(failure_of(OutOfMemory("too much")).cause, FailureCause::kOutOfMemory);
  EXPECT_EQ(failure_of(std::bad_alloc()).cause, FailureCause::kOutOfMemory);
  EXPECT_EQ(failure_of(InputsChanged("x is gone")).cause, FailureCause::kInputsChanged);
  EXPECT_EQ(failure_of(Error(ErrorKind::kEnvironment, "x could not be written: {}", std::strerror(EACCES))).cause,
            FailureCause::kOther);
}

TEST(DescribeFailure, IsHonestAboutTheUnexpected) {
  const Failure failure = failure_of(std::runtime_error("no idea\nat all"));
  EXPECT_EQ(failure.exit_status, 1);
  EXPECT_EQ(failure.message, "something unexpected went wrong: no idea");
}

}  // namespace
}  // namespace unianimate::studio

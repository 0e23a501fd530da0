// The program is linked with all of pipeline, family, puppet, training and evaluation, and this is what that loads.
#include <gmock/gmock.h>
#include <link.h>

#include <string>
#include <vector>

#include "unianimate/puppet/clip.h"

namespace unianimate {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> loaded_libraries() {
  std::vector<std::string> libraries;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t /*size*/, void* names) {
        static_cast<std::vector<std::string>*>(names)->emplace_back(info->dlpi_name);
        return 0;
      },
      &libraries);
  return libraries;
}

TEST(WhatAMachineWithACardRuns, LoadsNeitherFfmpegNorOpenVinoNorYamlCpp) {
  const std::vector<std::string> libraries = loaded_libraries();
  EXPECT_THAT(libraries, Contains(HasSubstr("libtorch_cpu")));
  for (const char* library : {"libav", "libsw", "libpostproc", "openvino", "yaml-cpp"}) {
    EXPECT_THAT(libraries, Each(Not(HasSubstr(library))));
  }
}

TEST(WhatAMachineWithACardRuns, DrawsPeople) {
  const puppet::Clip clip({.seed = 3, .width = 32, .height = 48, .frames = 2, .frames_per_second = 8});
  EXPECT_EQ(clip.frame(1).width, 32);
}

}  // namespace
}  // namespace unianimate

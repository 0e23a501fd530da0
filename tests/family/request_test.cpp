#include "unianimate/family/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "unianimate/core/error.h"

namespace unianimate::family {
namespace {

struct BadRequest {
  const char* what;
  std::function<void(AnimateRequest&)> spoil;
  const char* message;
};

std::ostream& operator<<(std::ostream& out, const BadRequest& bad) {
  return out << bad.what;
}

class RequestCheck : public ::testing::TestWithParam<BadRequest> {};

TEST_P(RequestCheck, NamesTheField) {
  AnimateRequest request;
  request.check();
  GetParam().spoil(request);
  try {
    request.check();
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(GetParam().message));
  }
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    All, RequestCheck,
    ::testing::Values(
        BadRequest{"width", [](auto& r) { r.width = 8; }, "width must be between 16 and 4096 pixels, found 8"},
        BadRequest{"height", [](auto& r) { r.height = 0; }, "height must be between 16 and 4096 pixels"},
        BadRequest{"large", [](auto& r) { r.width = 4160; }, "width must be"},
        BadRequest{"frames", [](auto& r) { r.frames = 0; }, "frames must be between 1 and 1000000"},
        BadRequest{"interval", [](auto& r) { r.frame_interval = 0; }, "frame_interval must be between 1"},
        BadRequest{"steps", [](auto& r) { r.sampling.steps = 1001; }, "steps must be"},
        BadRequest{"guidance", [](auto& r) { r.guidance_scale = kNan; }, "guidance_scale must be between 0"},
        BadRequest{"prior", [](auto& r) { r.noise_prior = 1000; }, "noise_prior must be between 0 and 999"},
        BadRequest{"context", [](auto& r) { r.context.overlap = 32; }, "context_overlap"},
        BadRequest{"context_batch", [](auto& r) { r.context.batch_size = std::numeric_limits<std::int64_t>::max(); },
                   "context_batch_size must be between"},
        BadRequest{"batch", [](auto& r) { r.decode_batch = 65; }, "decode_batch must be between 1 and 64"}),
    [](const auto& test) { return std::string(test.param.what); });

}  // namespace
}  // namespace unianimate::family

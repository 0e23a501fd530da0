#include "unianimate/server/worker/job_request.h"

#include <gmock/gmock.h>

#include "unianimate/core/error.h"

namespace unianimate::worker {
namespace {

using ::testing::HasSubstr;

const family::AnimateRequest kDefaults;

std::filesystem::path resolved(const std::string& id) {
  return "/data/" + id;
}

std::string refusal(const std::string& request) {
  try {
    read_video_request(request, kDefaults, resolved);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(JobRequests, PutWhatIsSaidOverTheDefaultsOfTheModels) {
  family::AnimateRequest defaults;
  defaults.guidance_scale = 3.5;
  defaults.seed = 7;
  const VideoAsked asked = read_video_request(
      R"({"order":{"reference":"a1","motion":"a2","seed":12,"size":"64x128","frames":null,"start":1.5,)"
      R"("preview_every":5,"audio":"none"},"format":"webm"})",
      defaults, resolved);
  EXPECT_EQ(asked.format, ResultFormat::kWebm);
  EXPECT_EQ(asked.order.job.request.reference, "/data/a1");
  EXPECT_EQ(asked.order.motion, "/data/a2");
  EXPECT_EQ(asked.order.job.request.seed, 12U);
  EXPECT_EQ(asked.order.job.request.guidance_scale, 3.5);
  EXPECT_EQ(asked.order.size->pixels->height, 128);
  EXPECT_EQ(asked.order.job.request.frames, std::nullopt);
  EXPECT_EQ(asked.order.motion_options.start_seconds, 1.5);
  EXPECT_EQ(asked.order.keeping.preview_every, 5);
  EXPECT_EQ(asked.order.sound, studio::Sound::kNone);
}

TEST(JobRequests, NameModelsAndLorasBesideTheOrder) {
  const ModelChoice models{"published", {{"style", 0.8}, {"light", 1}}};
  const std::string text = request_text({{"reference", "a1"}, {"motion", "a2"}}, {ResultFormat::kMkv, models});
  EXPECT_EQ(read_row_options(text).models, models);
  EXPECT_EQ(read_row_options(text).format, ResultFormat::kMkv);
  EXPECT_EQ(read_video_request(text, kDefaults, resolved).order.motion, "/data/a2");
  EXPECT_EQ(read_row_options(R"({"order":{}})").models, ModelChoice());
  EXPECT_THROW(read_row_options(R"({"order":{},"loras":[{"file":"/etc/passwd"}]})"), Error);
}

TEST(JobRequests, NameNoPaths) {
  std::vector<std::string> refused;
  const auto refuse = [&](const std::string& part, const Error& /*error*/) { refused.push_back(part); };
  require_names({"published-2", {{"style of 1920, à la carte", 1}}}, refuse);
  require_names({"", {}}, refuse);
  EXPECT_TRUE(refused.empty());
  for (const char* name : {"../x", "/etc/passwd", "a/b", "a\\b", ".hidden", "..", "line\nbreak"}) {
    refused.clear();
    require_names({name, {{"good", 1}, {name, 1}}}, refuse);
    EXPECT_EQ(refused, (std::vector<std::string>{"model", "loras/1/name"})) << name;
  }
  refused.clear();
  require_names({"", {{"", 1}}}, refuse);
  EXPECT_EQ(refused, std::vector<std::string>{"loras/0/name"});
}

TEST(JobRequests, SayWhatIsWrong) {
  EXPECT_THAT(refusal("nonsense"), HasSubstr("the request"));
  EXPECT_THAT(refusal("[]"), HasSubstr("order"));
  EXPECT_THAT(refusal(R"({"order":{"reference":5}})"), HasSubstr("reference must be the id of a file"));
  EXPECT_THAT(refusal(R"({"order":{"reference":"a","motion":"b","sed":1}})"), HasSubstr("unknown key 'sed'"));
  EXPECT_THAT(refusal(R"({"order":{"reference":"a","motion":"b"},"more":1})"), HasSubstr("unknown key 'more'"));
  EXPECT_THAT(refusal(R"({"order":{"reference":"a","motion":"b"},"format":"exe"})"), HasSubstr("format"));
  EXPECT_THAT(refusal(R"({"order":{"reference":"a","motion":"b","seed":"x"}})"), HasSubstr("seed"));
  EXPECT_THAT(refusal(R"({"order":{"reference":"a","motion":"b","save_every":0}})"), HasSubstr("save_every"));
  EXPECT_THAT(refusal(R"({"order":{"reference":"a"}})"), HasSubstr("--motion"));
}

TEST(JobRequests, SayNothingOfPlacesOnTheServer) {
  for (const char* name : {"output", "saved_poses", "folder", "keep"}) {
    EXPECT_THAT(refusal(fmt::format(R"({{"order":{{"reference":"a","motion":"b","{}":"/etc/passwd"}}}})", name)),
                HasSubstr("unknown key"))
        << name;
  }
}

TEST(JobRequests, OfPosesAreReadLikewise) {
  const studio::AlignOrder order =
      read_align_request(R"({"order":{"reference":"a1","motion":"a2","person":"left"}})", resolved);
  EXPECT_EQ(order.request.reference, "/data/a1");
  EXPECT_EQ(order.request.motion, "/data/a2");
  EXPECT_THROW(read_align_request(R"({"order":{"reference":"a1","motion":"a2","output":"/x"}})", resolved), Error);
}

TEST(JobRequests, AreReadAsTheyAreWritten) {
  const std::string text = request_text({{"reference", "a1"}, {"poses", "a2"}}, {ResultFormat::kGif});
  const VideoAsked asked = read_video_request(text, kDefaults, resolved);
  EXPECT_EQ(asked.format, ResultFormat::kGif);
  EXPECT_EQ(asked.order.job.request.poses, "/data/a2");
}

}  // namespace
}  // namespace unianimate::worker

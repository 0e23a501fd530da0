#include "unianimate/server/worker/job_request.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/family/distillation.h"

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

nlohmann::ordered_json order_of(const nlohmann::ordered_json& settings) {
  nlohmann::ordered_json order{{"reference", "a1"}, {"motion", "a2"}};
  order.update(settings);
  return order;
}

std::string check_refusal(const nlohmann::ordered_json& settings, const std::filesystem::path& models = {},
                          const std::string& model = "") {
  try {
    check_request(queue::JobKind::kAnimate, request_text(order_of(settings), {ResultFormat::kMp4, {model, {}}}), models,
                  resolved, [](const fields::Field& field) { return std::string(field.name); });
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
    return error.what();
  }
  return "";
}

TEST(JobRequests, AreRefusedForWhatNoModelsDoTogether) {
  EXPECT_THAT(check_refusal({{"preset", "draft"}, {"sampler", "lcm"}}), HasSubstr("preset draft does not go with"));
  EXPECT_THAT(check_refusal({{"extrapolate", true}, {"guidance_every", 2}, {"guidance_scale", 2}, {"steps", 8}}),
              HasSubstr("extrapolate does not go with guidance_every"));
  EXPECT_THAT(check_refusal({{"guidance_every", 2}, {"guidance_scale", 1}}), HasSubstr("guidance_every has no effect"));
  EXPECT_THAT(check_refusal({{"eta", 0.5}, {"sampler", "euler"}}), HasSubstr("eta has no effect"));
  EXPECT_THAT(check_refusal({{"preset", "draft"}, {"carry_state", true}, {"context_schedule", "even"}}),
              HasSubstr("carry_state does not go with reused features"));
  EXPECT_THAT(check_refusal({{"steps", 4}, {"timesteps", "trailing"}, {"guidance_interval", "0-10"}}),
              HasSubstr("guidance_interval 0-10 holds none"));
}

TEST(JobRequests, AreNotRefusedForWhatSomeModelsDo) {
  EXPECT_EQ(check_refusal({{"guidance_every", 2}}), "");
  EXPECT_EQ(check_refusal({{"steps", 4}, {"guidance_interval", "0-10"}}), "") << "some are asked there";
  EXPECT_EQ(check_refusal({{"guidance_interval", "995-998"}}), "");
  EXPECT_EQ(check_refusal({{"context_size", 4}}), "") << "some windows share less";
  EXPECT_EQ(check_refusal({{"context_overlap", 40}}), "") << "some are longer";
  EXPECT_EQ(check_refusal({{"timesteps", "949-940"}}), "") << "some take few steps";
  EXPECT_EQ(check_refusal({{"timesteps", "949-948"}}), "");
  EXPECT_EQ(check_refusal({{"extrapolate", true}, {"steps", 3}}), "") << "the published timesteps of 3 are 4";
}

/// A brute-force twin: what is refused where the models are not known is what each of these refuses.
TEST(JobRequests, AreRefusedWithoutModelsWhereAllModelsRefuse) {
  std::vector<family::AnimateRequest> models;
  for (const std::int64_t steps : {30, 4, 2, 1}) models.emplace_back().sampling.steps = steps;
  const auto vary = [&](const auto& change) {
    for (std::size_t i = models.size(); i-- > 0;) change(models.emplace_back(models[i]));
  };
  vary([](family::AnimateRequest& model) { model.sampling.timesteps = diffusion::TimestepList::parse("990-0"); });
  vary([](family::AnimateRequest& model) { model.guidance_scale = 1; });
  vary([](family::AnimateRequest& model) {
    model.context.size = 64;
    model.context.overlap = 1;
  });
  family::make_distillation("lcm", 4).apply(models.emplace_back());
  family::make_distillation("tcd", 2).apply(models.emplace_back());
  using Said = std::pair<const char*, nlohmann::ordered_json>;
  const std::vector<Said> said{{"preset", "draft"},
                               {"preset", "close"},
                               {"sampler", "ddim"},
                               {"sampler", "lcm"},
                               {"sampler", "unipc-bh1"},
                               {"steps", 1},
                               {"steps", 3},
                               {"steps", 8},
                               {"timesteps", "trailing"},
                               {"timesteps", "949-940"},
                               {"timesteps", "949-948"},
                               {"timesteps", "999,499"},
                               {"final_level", "zero"},
                               {"eta", 0.5},
                               {"guidance_scale", 1},
                               {"guidance_scale", 2},
                               {"guidance_every", 2},
                               {"guidance_interval", "0-10"},
                               {"guidance_interval", "200-900"},
                               {"reuse_below", 1},
                               {"reuse_every", 1},
                               {"reuse_every", 3},
                               {"extrapolate", true},
                               {"carry_state", true},
                               {"context_schedule", "even"},
                               {"context_size", 8},
                               {"context_overlap", 8}};
  const auto refused_by_all = [&](const std::string& request) {
    return std::ranges::all_of(models, [&](const family::AnimateRequest& defaults) {
      try {
        read_video_request(request, defaults, resolved).order.job.request.check();
        return false;
      } catch (const Error&) {
        return true;
      }
    });
  };
  std::size_t refused = 0;
  const auto compare = [&](const nlohmann::ordered_json& settings) {
    const std::string sentence = check_refusal(settings);
    // That steps are said twice is no matter of models.
    if (sentence.starts_with("steps has no effect with a list")) return;
    refused += sentence.empty() ? 0 : 1;
    const bool is_refused_by_all = refused_by_all(request_text(order_of(settings)));
    // Which numbers of steps reach an interval is left to the worker.
    if (settings.contains("guidance_interval") && sentence.empty()) return;
    EXPECT_EQ(!sentence.empty(), is_refused_by_all) << settings << sentence;
  };
  for (std::size_t a = 0; a < said.size(); ++a) {
    compare({{said[a].first, said[a].second}});
    for (std::size_t b = 0; b < a; ++b) {
      if (said[a].first == std::string_view(said[b].first)) continue;
      compare({{said[a].first, said[a].second}, {said[b].first, said[b].second}});
      for (std::size_t c = 0; c < b; ++c) {
        if (said[c].first == std::string_view(said[b].first)) continue;
        compare({{said[a].first, said[a].second}, {said[b].first, said[b].second}, {said[c].first, said[c].second}});
      }
    }
  }
  EXPECT_GT(refused, 100U);
}

TEST(JobRequests, AreRefusedForWhatTheModelsThatTheyNameDoNotDo) {
  const testing::TemporaryFolder folder;
  const auto make = [&](const char* name, const char* description) {
    std::filesystem::create_directories(folder.path() / name);
    std::ofstream(folder.path() / name / "unianimate_16f_32f_non_ema_223000.safetensors") << "weights";
    std::ofstream(folder.path() / name / "model.json") << description;
  };
  make("unguided", R"({"defaults": {"guidance_scale": 1, "context_size": 8, "context_overlap": 2}})");
  make("broken", R"({"defaults": {"guidance_scale": "much"}})");
  const nlohmann::ordered_json guessed{{"guidance_every", 2}};
  EXPECT_THAT(check_refusal(guessed, folder.path(), "unguided"), HasSubstr("guidance_every has no effect"));
  EXPECT_EQ(check_refusal({{"guidance_every", 2}, {"guidance_scale", 2}}, folder.path(), "unguided"), "");
  EXPECT_EQ(check_refusal({{"preset", "close"}}, folder.path(), "unguided"), "") << "a preset is fitted to the models";
  EXPECT_THAT(check_refusal({{"context_overlap", 8}}, folder.path(), "unguided"), HasSubstr("context_overlap must be"));
  EXPECT_EQ(check_refusal(guessed, folder.path()), "") << "nobody says which";
  EXPECT_EQ(check_refusal(guessed, folder.path(), "broken"), "") << "the job tells what is wrong with these";
  EXPECT_NE(check_refusal({{"preset", "draft"}, {"sampler", "lcm"}}, folder.path(), "broken"), "");
}

TEST(JobRequests, AreReadAsTheyAreWritten) {
  const std::string text = request_text({{"reference", "a1"}, {"poses", "a2"}}, {ResultFormat::kGif});
  const VideoAsked asked = read_video_request(text, kDefaults, resolved);
  EXPECT_EQ(asked.format, ResultFormat::kGif);
  EXPECT_EQ(asked.order.job.request.poses, "/data/a2");
}

}  // namespace
}  // namespace unianimate::worker

#include "unianimate/studio/job_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "media/test_images.h"
#include "support/rule.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/content_hash.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/random.h"
#include "unianimate/family/pictures.h"

namespace unianimate::studio {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Notes : Progress {
  void note(const std::string& message) override { messages.push_back(message); }
  std::vector<std::string> messages;
};

class JobFolderTest : public ::testing::Test {
 protected:
  JobFolderTest() {
    std::ofstream(folder_ / "reference.png") << "a picture";
    record_.job.request.reference = folder_ / "reference.png";
    record_.job.request.chain = family::ChainOptions{.segment_size = 40, .segment_overlap = 3, .color_match = true};
    record_.job.request.frames.reset();
    record_.job.request.width = 24;
    record_.job.request.height = 40;
    record_.job.request.seed = 18'446'744'073'709'551'615U;
    record_.job.request.conditions = family::ConditionSet::parse("first-frame");
    record_.job.request.context.weights = diffusion::ContextWeights::kHann;
    record_.job.output = folder_ / "video.mp4";
    record_.job.audio = AudioSource{folder_ / "dance.mp4", 1.25};
    record_.loras = {{"/loras/style.safetensors", 0.5}};
    record_.job.request.poses = "/poses";
    record_.files = {"/models/unet.pth", "/models/autoencoder.ckpt", "/models/clip.bin", ""};
    record_.device = "cpu";
    record_.dtype = "fp32";
    record_.inputs[(folder_ / "reference.png").string()] = sampled_hash(folder_ / "reference.png");
  }

  [[nodiscard]] fs::path job() const { return folder_ / "job"; }
  /// Changes one byte in the middle.
  static void damage(const fs::path& file) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(fs::file_size(file) / 2));
    const int byte = stream.peek();
    stream.put(static_cast<char>(byte ^ 1));
  }
  void write_state(const std::string& state) const {
    write_file_atomically(job() / "state.json", content_hash_of(state) + "\n" + state + "\n");
  }
  static std::string problem(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  testing::TemporaryFolder folder_;
  JobRecord record_;
  Notes notes_;
};

std::vector<Image> frames(int first, int count) {
  std::vector<Image> images;
  for (int i = first; i < first + count; ++i) {
    images.push_back(family::image_from_tensor(testing::rule_picture("frame" + std::to_string(i), 40, 24)));
  }
  return images;
}

TEST_F(JobFolderTest, TheRecordComesBackAsItWas) {
  const std::string text = job_record_text(record_);
  EXPECT_EQ(job_record_text(read_job_record(text, "job.json")), text);
  const JobRecord read = read_job_record(text, "job.json");
  EXPECT_EQ(read.job.request.seed, record_.job.request.seed);
  EXPECT_FALSE(read.job.request.frames);
  EXPECT_EQ(read.job.request.conditions, record_.job.request.conditions);
  EXPECT_THAT(problem([] { read_job_record(R"({"output": 3})", "x/job.json"); }), HasSubstr("x/job.json"));
  EXPECT_NE(problem([] { read_job_record("[[[[", "x/job.json"); }), "");
  const auto problem_with = [&](const std::string& was, const std::string& is) {
    std::string changed = text;
    const std::size_t place = changed.find(was);
    EXPECT_NE(place, std::string::npos) << was;
    changed.replace(place, was.size(), is);
    return problem([&] { read_job_record(changed, "x/job.json"); });
  };
  EXPECT_THAT(problem_with(R"("save_every":1)", R"("save_every":0)"),
              HasSubstr("save_every must be at least 1, found 0"));
  EXPECT_THAT(problem_with(R"("save_every":1)", R"("save_every":1e300)"),
              HasSubstr("save_every must be a whole number in range, found 1e+300"));
  EXPECT_THAT(problem_with(R"("noise_prior_order":"short")", R"("noise_prior_order":"sort")"),
              HasSubstr("short or long, found 'sort'"));
  EXPECT_THAT(problem_with(R"("preview_every":0)", R"("preview_every":-1)"), HasSubstr("preview_every"));
  EXPECT_THAT(problem_with(R"("noise_prior_order":"short")", R"("noise_prior_order":"sorth")"),
              HasSubstr("short or long, found 'sorth'"));
  EXPECT_THAT(problem_with(R"("device":"cpu")", R"("device":"tpu")"), HasSubstr("device is out of range"));
  EXPECT_THAT(problem_with(R"("dtype":"fp32")", R"("dtype":"fp16")"), HasSubstr("dtype is out of range"));
  EXPECT_EQ(problem_with(R"("dtype":"fp32")", R"("dtype":"int8")"), "");
  EXPECT_EQ(problem_with(R"("dtype":"fp32","rest_dtype":"")", R"("dtype":"int8","rest_dtype":"bf16")"), "");
  EXPECT_EQ(problem_with(R"("dtype":"fp32","rest_dtype":"")", R"("dtype":"int8")"), "") << "as jobs of before";
  EXPECT_THAT(problem_with(R"("rest_dtype":"")", R"("rest_dtype":"bf16")"), HasSubstr("rest_dtype is out of range"));
  EXPECT_THAT(problem_with(R"("dtype":"fp32","rest_dtype":"")", R"("dtype":"int8","rest_dtype":"int8")"),
              HasSubstr("rest_dtype is out of range"));
  EXPECT_THAT(problem_with(R"("frames_per_second":8.0)", R"("frames_per_second":1e9)"), HasSubstr("frames per second"));
  EXPECT_THAT(problem_with(R"("scale":0.5)", R"("scale":null)"), HasSubstr("x/job.json does not describe a job"));
  EXPECT_THAT(problem_with(R"("poses":"/poses")", R"("poses":"/poses\u0000/other")"),
              HasSubstr("request.poses must be a path without a zero byte"));
  EXPECT_THAT(problem_with(R"("poses":"/poses")", R"("poses":"poses")"), HasSubstr("poses is no absolute path"));
  EXPECT_THAT(problem_with(R"("poses":)", R"("more":1,"poses":)"), HasSubstr("has an unknown key 'more'"));
}

TEST_F(JobFolderTest, JobsOfEarlierVersionsKeepTheirOrderOfPoses) {
  const std::string text = job_record_text(record_);
  EXPECT_EQ(read_job_record(text, "job.json").job.request.pose_order, family::PoseOrder::kNatural);
  const std::string field = R"("pose_order":"natural",)";
  std::string earlier = text;
  earlier.erase(earlier.find(field), field.size());
  EXPECT_EQ(read_job_record(earlier, "job.json").job.request.pose_order, family::PoseOrder::kPublished);
}

TEST_F(JobFolderTest, JobsFromBeforeFramingsShowAllOfTheirPictures) {
  record_.job.request.framing = {-0.1, 0, 1.0 / 3, 1};
  const std::string text = job_record_text(record_);
  EXPECT_EQ(read_job_record(text, "job.json").job.request.framing, record_.job.request.framing);
  std::string earlier = text;
  const std::size_t begin = earlier.find(R"("framing":)");
  earlier.erase(begin, earlier.find(R"("reference":)") - begin);
  EXPECT_TRUE(read_job_record(earlier, "job.json").job.request.framing.is_whole());
}

TEST_F(JobFolderTest, JobsInTheFormerSpellingAreTheSame) {
  record_.job.request.frames = 3;
  record_.job.request.background = Color{255, 128, 7};
  const std::string text = job_record_text(record_);
  const auto replaced = [](std::string in, const std::string& was, const std::string& is) {
    EXPECT_NE(in.find(was), std::string::npos) << was;
    return in.replace(in.find(was), was.size(), is);
  };
  std::string former = replaced(text, R"("frames":3)", R"("max_frames":{"value":3})");
  former = replaced(former, R"("background":"#ff8007")", R"("background":{"color":"#ff8007"})");
  former = replaced(former, R"("sampler":"ddim",)", "");
  former =
      replaced(former, R"("timesteps":"published","final_level":null,"eta":null)", R"("timestep_spacing":"leading")");
  EXPECT_EQ(job_record_text(read_job_record(former, "job.json")), text);
  // All frames and no background were said by leaving the fields out.
  const std::string all =
      replaced(replaced(former, R"("max_frames":{"value":3},)", ""), R"("background":{"color":"#ff8007"},)", "");
  EXPECT_FALSE(read_job_record(all, "job.json").job.request.frames);
  EXPECT_FALSE(read_job_record(all, "job.json").job.request.background);
  EXPECT_THAT(problem([&] { read_job_record(replaced(former, R"({"value":3})", R"({"value":0})"), "x/job.json"); }),
              HasSubstr("x/job.json does not describe a job: request.frames must be between 1 and 1000000, found 0"));
  EXPECT_THAT(problem([&] { read_job_record(replaced(former, R"("max_frames")", R"("frames":2,"max_frames")"), "x"); }),
              HasSubstr("unknown key 'max_frames'"));
}

// As an earlier version of the program wrote them.
TEST_F(JobFolderTest, JobsOfEarlierVersionsAreRead) {
  for (const char* name : {"segments", "windows"}) {
    const fs::path file = testing::test_data(fmt::format("../fuzz/seeds/job/{}.json", name));
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const family::AnimateRequest request = read_job_record(text, file).job.request;
    EXPECT_EQ(request.frames, 3);
    EXPECT_EQ(request.sampling.sampler, "ddim");
    EXPECT_EQ(request.sampling.steps, 2);
    EXPECT_TRUE(request.framing.is_whole());
    EXPECT_EQ(request.chain.has_value(), std::string_view(name) == "segments");
  }
}

TEST_F(JobFolderTest, TheBackgroundIsKept) {
  EXPECT_EQ(read_job_record(job_record_text(record_), "job.json").job.request.background, std::nullopt);
  record_.job.request.background = Color{255, 128, 7};
  const std::string text = job_record_text(record_);
  EXPECT_EQ(read_job_record(text, "job.json").job.request.background, (Color{255, 128, 7}));
  EXPECT_EQ(job_record_text(read_job_record(text, "job.json")), text);
}

TEST_F(JobFolderTest, KeepsLatentsAndFramesExactly) {
  const at::Tensor latent = testing::rule_input("latent", {1, 4, 7, 5, 3});
  at::Generator generator = make_generator(3);
  at::randn({77}, generator);
  {
    const auto begun = JobFolder::create(job(), record_);
    EXPECT_FALSE(begun->holds_work());
    begun->save_sampling(1, 2, {{"latent", at::zeros_like(latent)}}, generator);
    begun->save_sampling(1, 3, {{"latent", latent}}, generator);
    begun->add_frames(0, frames(0, 4));
    begun->add_frames(0, frames(4, 3));
  }
  const auto again = JobFolder::open(job());
  EXPECT_TRUE(again->holds_work());
  at::Generator restored = make_generator(0);
  const at::Tensor loaded = at::empty_like(latent);
  EXPECT_EQ(again->load_sampling(0, {{"latent", loaded}}, restored, notes_), 0);
  EXPECT_EQ(again->load_sampling(1, {{"latent", loaded}}, restored, notes_), 3);
  EXPECT_TRUE(at::equal(loaded, latent));
  EXPECT_TRUE(at::equal(at::randn({9}, restored), at::randn({9}, generator)));
  EXPECT_EQ(again->finished_frames(0, notes_), 7);
  std::vector<Image> read;
  again->read_frames(0, [&](const Image& image) { read.push_back(image); });
  EXPECT_EQ(read, frames(0, 7));
  EXPECT_TRUE(notes_.messages.empty());
  EXPECT_EQ(summarize_job(job()).frames_finished, 7);
}

TEST_F(JobFolderTest, WhatIsDamagedIsMadeAgain) {
  const at::Tensor latent = testing::rule_input("latent", {1, 4, 7, 5, 3});
  at::Generator generator = make_generator(3);
  {
    const auto begun = JobFolder::create(job(), record_);
    begun->save_sampling(0, 3, {{"latent", latent}}, generator);
    for (int part = 0; part < 3; ++part) begun->add_frames(0, frames(4 * part, 4));
  }
  damage(job() / "segment-0-latents-3.safetensors");
  damage(job() / "segment-0-part-1.mkv");
  {
    const auto again = JobFolder::open(job());
    EXPECT_EQ(again->load_sampling(0, {{"latent", at::empty_like(latent)}}, generator, notes_), 0);
    EXPECT_EQ(again->finished_frames(0, notes_), 4);
    EXPECT_EQ(notes_.messages.size(), 2U);
  }
  damage(job() / "state.json");
  EXPECT_THAT(problem([&] { JobFolder::open(job()); }), HasSubstr("state.json is damaged"));
  damage(job() / "job.json");
  EXPECT_THAT(problem([&] { JobFolder::open(job()); }), HasSubstr("job.json is damaged"));
}

TEST_F(JobFolderTest, JobsOfAnEarlierVersionAreRefusedForThatAndCanBeRemoved) {
  JobFolder::create(job(), record_);
  std::ofstream(job() / "job.json") << "0123456789abcdef0123456789abcdef\n" << job_record_text(record_) << "\n";
  EXPECT_THAT(problem([&] { JobFolder::open(job()); }), HasSubstr("begun by an earlier version of this program"));
  EXPECT_THAT(problem([&] { summarize_job(job()); }), HasSubstr("begun by an earlier version of this program"));
  delete_job(job());
  EXPECT_FALSE(fs::exists(job()));
}

TEST_F(JobFolderTest, ChangedInputsAreNamed) {
  JobFolder::create(job(), record_);
  EXPECT_EQ(problem([&] { JobFolder::open(job()); }), "");
  std::ofstream(folder_ / "reference.png") << "another picture";
  EXPECT_THAT(problem([&] { JobFolder::open(job()); }), HasSubstr("reference.png has changed"));
  fs::remove(folder_ / "reference.png");
  EXPECT_THAT(problem([&] { JobFolder::open(job()); }), HasSubstr("reference.png is gone"));
}

TEST_F(JobFolderTest, BelongsToOneJobAndOneProcess) {
  const auto begun = JobFolder::create(job(), record_);
  EXPECT_THAT(problem([&] { JobFolder::open(job()); }), HasSubstr("another process"));
  EXPECT_THAT(problem([&] { delete_job(job()); }), HasSubstr("another process"));
  EXPECT_TRUE(JobFolder::suits(job(), record_));
  ++record_.job.request.seed;
  EXPECT_FALSE(JobFolder::suits(job(), record_));
  EXPECT_THAT(problem([&] { JobFolder::create(job(), record_); }), HasSubstr("other settings"));
  EXPECT_THAT(problem([&] { JobFolder::open(folder_.path()); }), HasSubstr("not a job folder"));
  EXPECT_THAT(problem([&] { JobFolder::create(folder_.path(), record_); }), HasSubstr("something else"));
}

TEST_F(JobFolderTest, ForgetsASegmentToMakeItAgain) {
  const auto begun = JobFolder::create(job(), record_);
  for (std::size_t segment = 0; segment < 3; ++segment) begun->add_frames(segment, frames(0, 2));
  begun->redo(1, 99);
  EXPECT_EQ(begun->finished_frames(0, notes_), 2);
  EXPECT_EQ(begun->finished_frames(1, notes_), 0);
  EXPECT_EQ(begun->finished_frames(2, notes_), 2);
  EXPECT_EQ(begun->seed(1), 99U);
  EXPECT_FALSE(begun->seed(2));
}

std::vector<Image> frames_of(const JobFolder& job, std::size_t segment) {
  std::vector<Image> read;
  job.read_frames(segment, [&](const Image& image) { read.push_back(image); });
  return read;
}

TEST_F(JobFolderTest, KeepsASegmentUntilItIsMadeAgain) {
  {
    const auto begun = JobFolder::create(job(), record_);
    begun->add_frames(1, frames(0, 2));
    begun->add_frames(1, frames(2, 2));
    begun->redo(1, 99);
    begun->add_frames(1, frames(10, 2));
    EXPECT_TRUE(begun->holds_work());
  }
  {
    const auto again = JobFolder::open(job());
    EXPECT_EQ(again->seed(1), 99U);
    EXPECT_EQ(frames_of(*again, 1), frames(10, 2));
    again->redo(1, record_.job.request.seed);
    EXPECT_EQ(frames_of(*again, 1), frames(0, 4)) << "the frames that it had";
    EXPECT_FALSE(again->seed(1));
    again->redo(1, 100);
    again->add_frames(1, frames(20, 2));
    again->redo(1, 101);
    again->add_frames(1, frames(30, 2));
    again->add_frames(1, frames(32, 2));
  }
  const auto last = JobFolder::open(job());
  EXPECT_EQ(last->seed(1), 101U);
  EXPECT_EQ(frames_of(*last, 1), frames(30, 4));
  last->redo(1, 5);
  last->redo(1, 101);
  EXPECT_EQ(frames_of(*last, 1), frames(30, 4));
  std::ptrdiff_t parts = 0;
  for (const auto& entry : fs::directory_iterator(job())) parts += entry.path().extension() == ".mkv" ? 1 : 0;
  EXPECT_EQ(parts, 2) << "nothing is left of the others";
}

TEST_F(JobFolderTest, LeavesFilesOfOthersAlone) {
  const auto write = [&](const char* name) { std::ofstream(job() / name) << "precious"; };
  const auto begun = JobFolder::create(job(), record_);
  for (const char* name : {"segment-0-part-0.mkv", "segment-4-latents-2.safetensors", "segment-intro.wav"}) write(name);
  begun->add_frames(0, frames(0, 2));
  EXPECT_EQ(frames_of(*begun, 0), frames(0, 2));
  EXPECT_TRUE(fs::exists(job() / "segment-0-part-0-2.mkv"));
  begun->redo(0, 3);
  begun->add_frames(0, frames(5, 2));
  begun->remove();
  for (const char* name : {"segment-0-part-0.mkv", "segment-4-latents-2.safetensors", "segment-intro.wav"}) {
    EXPECT_EQ(fs::file_size(job() / name), 8U) << name;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(job()), {}), 3);
}

TEST_F(JobFolderTest, TakesOnlyFoldersThatNobodyUses) {
  const auto suits_with = [&](const std::string& name, const std::string& content) {
    fs::remove_all(job());
    fs::create_directories(job());
    std::ofstream(job() / name) << content;
    return JobFolder::suits(job(), record_);
  };
  for (const char* name : {"segment-1.mp4", "segment-0-part-0.mkv", "state.json", "a.partial.txt", "job.json",
                           ".segment-0-part-0.1.partial.mkv"}) {
    EXPECT_FALSE(suits_with(name, "precious")) << name;
  }
  EXPECT_FALSE(suits_with(".lock", "precious"));
  EXPECT_TRUE(suits_with(".lock", "")) << "killed at its very beginning";
  EXPECT_TRUE(suits_with(".job.123.partial.json", "half"));
}

TEST_F(JobFolderTest, RemovesDamagedFilesOfItsOwn) {
  {
    const auto begun = JobFolder::create(job(), record_);
    begun->add_frames(0, frames(0, 2));
    std::ofstream(job() / "segment-0-part-0.mkv") << "no video any more";
  }
  delete_job(job());
  EXPECT_FALSE(fs::exists(job()));
}

TEST_F(JobFolderTest, NeverFollowsNamesOutOfItself) {
  JobFolder::create(job(), record_);
  const std::string state = R"([{"parts":[{"name":"../secret.mkv","hash":"","count":1}]}])";
  write_state(state);
  EXPECT_THAT(problem([&] { JobFolder::open(job()); }), HasSubstr("no file of it"));
  for (const char* count : {"0", "-3", "1e300", "4611686018427387904"}) {
    const std::string many =
        fmt::format(R"([{{"parts":[{{"name":"segment-0-part-0.mkv","hash":"","count":{}}}]}}])", count);
    write_state(many);
    EXPECT_THAT(problem([&] { JobFolder::open(job()); }), HasSubstr("state.json")) << count;
    EXPECT_THAT(problem([&] { summarize_job(job()); }), HasSubstr("state.json")) << count;
  }
}

TEST_F(JobFolderTest, AStateOfAnotherMeaningIsRefused) {
  JobFolder::create(job(), record_);
  for (const char* state :
       {"{}", "7", "[7]", "[{}]", R"([{"parts":{}}])", R"([{"parts":[],"seed":-1}])", R"([{"parts":[],"seed":"11"}])",
        R"([{"parts":[],"latents":[]}])", R"([{"parts":[{"name":"segment-1-part-0.mkv","hash":"","count":1}]}])",
        R"([{"parts":[{"name":"segment-0-part-../../x.mkv","hash":"","count":1}]}])",
        R"([{"parts":[],"latents":{"name":"segment-0-part-0.mkv","hash":"","count":1}}])"}) {
    write_state(state);
    EXPECT_THAT(problem([&] { JobFolder::open(job()); }), HasSubstr("state")) << state;
  }
}

TEST_F(JobFolderTest, LatentsOfAnotherMeaningAreRefused) {
  JobFolder::create(job(), record_);
  const at::Tensor latent = testing::rule_input("latent", {1, 4, 7, 5, 3});
  const at::Tensor state = make_generator(3).get_state();
  const auto problem_with = [&](const NamedTensors& tensors) {
    const std::string name = "segment-0-latents-3.safetensors";
    checkpoint::save_safetensors(job() / name, tensors);
    write_state(fmt::format(R"([{{"parts":[],"latents":{{"name":"{}","hash":"{}","count":3}}}}])", name,
                            content_hash(job() / name)));
    const auto again = JobFolder::open(job());
    at::Generator generator = make_generator(0);
    return problem([&] { again->load_sampling(0, {{"latent", at::empty_like(latent)}}, generator, notes_); });
  };
  EXPECT_EQ(problem_with({{"latent", latent}, {"generator", state}}), "");
  EXPECT_THAT(problem_with({{"latent", latent.to(at::kHalf)}, {"generator", state}}), HasSubstr("another type"));
  EXPECT_THAT(problem_with({{"latent", latent}, {"generator", state.to(at::kFloat)}}), HasSubstr("another type"));
  EXPECT_THAT(problem_with({{"latent", latent.narrow(2, 0, 6)}, {"generator", state}}), HasSubstr("of another shape"));
  EXPECT_THAT(problem_with({{"latent", latent}}), HasSubstr("missing"));
  EXPECT_THAT(problem_with({{"latent", latent}, {"generator", at::full_like(state, 255)}}), HasSubstr("cannot have"));
  EXPECT_THAT(problem_with({{"latent", latent / 0}, {"generator", state}}), HasSubstr("no numbers"));
}

TEST_F(JobFolderTest, AreListedAndRemoved) {
  JobFolder::create(job(), record_);
  fs::create_directories(folder_ / "other");
  EXPECT_EQ(list_jobs(folder_.path()), std::vector<fs::path>{job()});
  EXPECT_NE(problem([&] { delete_job(folder_ / "other"); }), "");
  EXPECT_TRUE(fs::exists(folder_ / "other"));
  std::ofstream(folder_ / "other/job.json") << "somebody else's";
  EXPECT_THAT(problem([&] { delete_job(folder_ / "other"); }), HasSubstr("not a job folder"));
  EXPECT_TRUE(fs::exists(folder_ / "other/job.json"));
  std::ofstream(job() / "thesis.txt") << "years of work";
  EXPECT_THAT(problem([&] { delete_job(job()); }), HasSubstr("holds other files"));
  EXPECT_TRUE(fs::exists(job() / "thesis.txt"));
  EXPECT_FALSE(fs::exists(job() / "job.json"));
  fs::remove(job() / "thesis.txt");
  JobFolder::create(job(), record_);
  delete_job(job());
  EXPECT_FALSE(fs::exists(job()));
  EXPECT_THROW(list_jobs(folder_ / "nowhere"), Error);
}

}  // namespace
}  // namespace unianimate::studio

#include "unianimate/training/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <numeric>
#include <string>

#include "training/tiny_training.h"
#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/error.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/family/unianimate/model_weights.h"
#include "unianimate/family/unianimate/small_decoder_file.h"

namespace unianimate::training {
namespace {

using testing::autoencoder_yaml;
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::losses;
using testing::run;
using testing::unet_yaml;

class Training : public testing::TinyTraining {
 protected:
  void train_autoencoder() { run(autoencoder_yaml("ae", 60), root()); }
  at::Tensor averaged_weight(const char* training) {
    const checkpoint::Checkpoint state = checkpoint::open_checkpoint(root() / training / "state.safetensors");
    return checkpoint::materialize(state, *state.find("averaged/decoder.conv_out.weight"));
  }
  static std::string by_muon(std::string yaml) {
    return yaml.replace(yaml.find("optimizer: {"), 12, "optimizer: {kind: muon, ");
  }
  static std::string from_nothing() { return "{sizes: model.json, autoencoder: ae/model, train_clip: true}"; }
};

TEST_F(Training, TheAutoencoderLearnsWithinSeconds) {
  const TrainingReport report = run(autoencoder_yaml("ae", 120), root());
  EXPECT_TRUE(report.finished);
  const std::vector<double> all = losses(root() / "ae");
  ASSERT_EQ(all.size(), 120U);
  EXPECT_GT(all.front(), 1.2);
  double last = 0;
  for (std::size_t i = 110; i < 120; ++i) last += all[i] / 10;
  EXPECT_LT(last, 0.75) << "stated in docs/training.md";
  EXPECT_TRUE(fs::exists(root() / "ae" / "loss.png"));
}

TEST_F(Training, TheUNetLearnsWithinSeconds) {
  train_autoencoder();
  run(unet_yaml("unet", 100, from_nothing()), root());
  const std::vector<double> all = losses(root() / "unet");
  const auto mean = [](auto from, auto to) { return std::accumulate(from, to, 0.0) / static_cast<double>(to - from); };
  EXPECT_GT(mean(all.begin(), all.begin() + 10), 1.8);
  EXPECT_LT(mean(all.end() - 30, all.end()), 1.5) << "stated in docs/training.md";
}

/// On every machine, whatever it multiplies with.
TEST_F(Training, TheEmbeddedModelsUNetBeginsAsItsLogSays) {
  const fs::path models = fs::path(UNIANIMATE_SOURCE_FOLDER) / "models/puppet";
  std::ifstream file(models / "from-nothing.yaml");
  const std::string yaml{std::istreambuf_iterator<char>(file), {}};
  TrainConfig config = parse_train_config(yaml, "from-nothing.yaml", UNIANIMATE_SOURCE_FOLDER);
  config.output = root() / "from-nothing";
  config.steps = 10;
  config.validate_every = 0;
  Progress silent;
  train(config, Compute{}, *distributed::ProcessGroup::from_environment(at::kCPU), silent);
  for (const char* name : {"loss", "v_error", "gradient_norm"}) {
    const double found = testing::logged(config.output, name).at(0);
    const double expected = testing::logged_in(models / "training/from-nothing.jsonl", name).at(0);
    EXPECT_NEAR(found, expected, 1e-3 * expected) << name;
  }
}

TEST_F(Training, GoesOnExactlyWhereItWasStopped) {
  run(autoencoder_yaml("whole", 9), root());
  testing::StopAfter after_five(5);
  EXPECT_FALSE(run(autoencoder_yaml("halves", 9), root(), after_five).finished);
  EXPECT_EQ(losses(root() / "halves").size(), 5U);
  EXPECT_TRUE(run(autoencoder_yaml("halves", 9), root()).finished);
  EXPECT_EQ(losses(root() / "halves"), losses(root() / "whole"));
  EXPECT_TRUE(at::equal(averaged_weight("halves"), averaged_weight("whole")));
}

TEST_F(Training, GoesOnExactlyWithMuonWhichIsNotExchangedOnTheWay) {
  run(by_muon(autoencoder_yaml("whole", 9)), root());
  testing::StopAfter after_five(5);
  run(by_muon(autoencoder_yaml("halves", 9)), root(), after_five);
  EXPECT_THAT(refusal(autoencoder_yaml("halves", 9)),
              HasSubstr("begun with 'optimizer.kind: muon', but now it says 'optimizer.kind: adamw'"));
  run(by_muon(autoencoder_yaml("halves", 9)), root());
  EXPECT_EQ(losses(root() / "halves"), losses(root() / "whole"));
  EXPECT_TRUE(at::equal(averaged_weight("halves"), averaged_weight("whole")));
  run(autoencoder_yaml("adamw", 9), root());
  EXPECT_NE(losses(root() / "adamw"), losses(root() / "whole"));
  EXPECT_THAT(refusal(by_muon(autoencoder_yaml("adamw", 9))),
              HasSubstr("begun with 'optimizer.kind: adamw', but now it says 'optimizer.kind: muon'"));
}

TEST_F(Training, LinesOfStepsThatWereLostAreTakenOut) {
  testing::StopAfter after_six(6);
  run(autoencoder_yaml("ae", 8), root(), after_six);
  std::ofstream(root() / "ae" / "log.jsonl", std::ios::app) << "{\"step\":7,\"loss\":9}\n{\"step\":8,\"lo";
  run(autoencoder_yaml("ae", 8), root());
  const std::vector<double> all = losses(root() / "ae");
  ASSERT_EQ(all.size(), 8U);
  EXPECT_NE(all[6], 9);
}

TEST_F(Training, WritesModelsThatThePipelineLoads) {
  train_autoencoder();
  run(unet_yaml("unet", 2, from_nothing()), root());
  const family::ModelFiles files = family::find_model_files(root() / "unet" / "model");
  const family::ModelConfigs sizes = family::read_model_configs(files);
  EXPECT_EQ(sizes.unet.dim, 8);
  EXPECT_EQ(sizes.clip.text.vocab_size, 3);
}

TEST_F(Training, LatentsOfANewAutoencoderAreNormalized) {
  train_autoencoder();
  const family::ModelFiles files = family::model_files_to_write(root() / "ae" / "model");
  const auto sizes = family::read_model_description(files.description).configs;
  Progress silent;
  const auto model = family::load_autoencoder(files.autoencoder, sizes.autoencoder, {}, silent);
  PuppetFootageOptions people{
      .first_person = 910'000, .people = 32, .width = 32, .height = 48, .coherent = 1, .scattered = 0};
  std::vector<at::Tensor> pictures;
  for (std::int64_t i = 0; i < people.people; ++i) pictures.push_back(PuppetFootage(people).load(i).pictures);
  const c10::InferenceMode inference;
  const at::Tensor mean = model->encode_moments(autoencoder_input(at::cat(pictures))).narrow(1, 0, 4);
  for (std::int64_t channel = 0; channel < 4; ++channel) {
    EXPECT_NEAR(mean.select(1, channel).mean().item<double>(), 0, 1e-3);
    EXPECT_NEAR(mean.select(1, channel).std().item<double>(), 1, 1e-3);
  }
}

TEST_F(Training, TheSmallDecoderLearnsWhatTheLargeOneMakesOfLatents) {
  train_autoencoder();
  run(testing::small_decoder_yaml("small", 60), root());
  const std::vector<double> psnr = testing::logged(root() / "small", "psnr");
  ASSERT_EQ(psnr.size(), 3U);
  EXPECT_GT(psnr.back(), psnr.front() + 1);
  EXPECT_GT(psnr.back(), 18) << "dB from the large decoder's pictures";

  family::ModelFiles files = family::model_files_to_write(root() / "ae" / "model");
  files.small_decoder = family::model_files_to_write(root() / "small" / "model").small_decoder;
  const auto sizes = family::read_model_description(files.description).configs.autoencoder;
  family::require_small_decoder_fits(files, sizes, false);
  Progress silent;
  const auto small = family::load_small_decoder(files.small_decoder, {}, silent);
  const auto large = family::load_autoencoder(files.autoencoder, sizes, {}, silent);
  const PuppetFootage people({.first_person = 910'100, .people = 4, .width = 32, .height = 48, .coherent = 1});
  const c10::InferenceMode inference;
  for (std::int64_t i = 0; i < 4; ++i) {
    const at::Tensor pictures = autoencoder_input(people.load(i).pictures);
    const at::Tensor latents = large->encode_moments(pictures).chunk(2, 1).front();
    const at::Tensor expected = large->decode(latents);
    EXPECT_LT((small->decode(latents) - expected).square().mean().item<double>(), 0.5 * expected.var().item<double>());
  }
}

TEST_F(Training, ASmallDecoderIsRefusedForAnotherAutoencoder) {
  train_autoencoder();
  run(testing::small_decoder_yaml("small", 1), root());
  family::ModelFiles files = family::model_files_to_write(root() / "ae" / "model");
  const auto sizes = family::read_model_description(files.description).configs.autoencoder;
  files.small_decoder = family::model_files_to_write(root() / "small" / "model").small_decoder;
  const auto refusal_of = [&](const family::ModelFiles& of) {
    try {
      family::require_small_decoder_fits(of, sizes, false);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return std::string(error.what());
    }
    return std::string();
  };
  NamedTensors weights;
  const checkpoint::Checkpoint file = checkpoint::open_checkpoint(files.autoencoder);
  for (const checkpoint::TensorEntry& entry : file.tensors()) {
    weights.push_back({entry.name, checkpoint::materialize(file, entry)});
  }
  files.autoencoder = root() / "copy.safetensors";
  checkpoint::save_safetensors(files.autoencoder, weights, {}, at::kBFloat16);
  EXPECT_EQ(refusal_of(files), "") << "the same in 16 bits";
  for (NamedTensor& weight : weights) {
    if (weight.name == "decoder.conv_out.bias") weight.tensor[1] += 0.25;
  }
  checkpoint::save_safetensors(files.autoencoder, weights);
  EXPECT_THAT(refusal_of(files), HasSubstr("another autoencoder than " + files.autoencoder.string()));
  files.small_decoder = files.autoencoder;
  EXPECT_THAT(refusal_of(files), HasSubstr("no small decoder that this program knows"));
}

TEST_F(Training, ASmallDecoderGoesOnExactlyWhereItWasStopped) {
  train_autoencoder();
  run(testing::small_decoder_yaml("whole", 7), root());
  testing::StopAfter after_three(3);
  EXPECT_FALSE(run(testing::small_decoder_yaml("halves", 7), root(), after_three).finished);
  EXPECT_TRUE(run(testing::small_decoder_yaml("halves", 7), root()).finished);
  EXPECT_EQ(losses(root() / "halves"), losses(root() / "whole"));
}

TEST_F(Training, LoraChangesOnlyItsFile) {
  train_autoencoder();
  run(unet_yaml("unet", 2, from_nothing()), root());
  run(unet_yaml("tuned", 4, "{start: unet/model}", "lora: {rank: 2}"), root());
  EXPECT_TRUE(fs::exists(root() / "tuned" / "model" / "lora.safetensors"));
  EXPECT_FALSE(fs::exists(family::model_files_to_write(root() / "tuned" / "model").unet));
  const checkpoint::Checkpoint file = checkpoint::open_checkpoint(root() / "tuned" / "model" / "lora.safetensors");
  const checkpoint::TensorEntry* up = file.find("middle_block.1.transformer_blocks.0.attn1.to_q.lora_up.weight");
  ASSERT_NE(up, nullptr);
  EXPECT_GT(checkpoint::materialize(file, *up).abs().max().item<double>(), 0);
}

TEST_F(Training, RefusesMuonWhereItHasNothingToUpdate) {
  train_autoencoder();
  run(unet_yaml("unet", 1, from_nothing()), root());
  const std::string yaml = unet_yaml("corrections", 1, "{start: unet/model}", "lora: {rank: 2}");
  EXPECT_THAT(refusal(by_muon(yaml)), HasSubstr("at least 16 channels"));
  EXPECT_FALSE(fs::exists(root() / "corrections" / "state.safetensors"));
}

TEST_F(Training, ATemporalMambaTakesThePlaceOfAttentionAndGoesOnExactlyWhereItWasStopped) {
  train_autoencoder();
  run(unet_yaml("unet", 2, from_nothing()), root());
  const std::string start = "{start: unet/model, temporal: mamba, d_state: 4}";
  run(unet_yaml("whole", 7, start), root());
  testing::StopAfter after_three(3);
  EXPECT_FALSE(run(unet_yaml("halves", 7, start), root(), after_three).finished);
  EXPECT_TRUE(run(unet_yaml("halves", 7, start), root()).finished);
  EXPECT_EQ(losses(root() / "halves"), losses(root() / "whole"));
  const auto sizes = [&](const char* name) {
    return family::read_model_configs(family::find_model_files(root() / name / "model")).unet;
  };
  models::UNetConfig expected = sizes("unet");
  expected.temporal = models::TemporalKind::kMamba;
  expected.d_state = 4;
  EXPECT_EQ(sizes("whole"), expected);
  // Every parameter is reached by the gradients.
  const checkpoint::Checkpoint state = checkpoint::open_checkpoint(root() / "whole" / "state.safetensors");
  int of_mamba = 0;
  for (const checkpoint::TensorEntry& entry : state.tensors()) {
    if (!entry.name.starts_with("second_moment/") || entry.name.find(".mamba.") == std::string::npos) continue;
    ++of_mamba;
    EXPECT_GT(checkpoint::materialize(state, entry).abs().max().item<double>(), 0) << entry.name;
  }
  EXPECT_GT(of_mamba, 30);

  run(unet_yaml("further", 1, "{start: whole/model, temporal: mamba}"), root());
  EXPECT_EQ(sizes("further"), expected) << "it is one already";
  EXPECT_THAT(refusal(unet_yaml("a", 1, "{start: whole/model, temporal: transformer}")), HasSubstr("no attention"));
  EXPECT_THAT(refusal(unet_yaml("a", 1, "{start: whole/model, temporal: mamba, d_state: 8}")),
              HasSubstr("leave them out"));
  EXPECT_THAT(refusal(unet_yaml("a", 1, "{start: unet/model, d_state: 8}")), HasSubstr("model.temporal: mamba"));
  EXPECT_THAT(refusal(unet_yaml("a", 1, "{sizes: model.json, autoencoder: ae/model, temporal: mamba}")),
              HasSubstr("model.sizes"));
  EXPECT_THAT(refusal(unet_yaml("a", 1, "{start: unet/model, temporal: mamba}", "lora: {rank: 2}")), HasSubstr("lora"));
  EXPECT_FALSE(fs::exists(root() / "a"));
}

TEST_F(Training, HalfPrecisionFollowsTheFullOne) {
  train_autoencoder();
  run(unet_yaml("exact", 6, from_nothing()), root());
  run(unet_yaml("short", 6, "{sizes: model.json, autoencoder: ae/model, train_clip: true, precision: bf16}"), root());
  const std::vector<double> exact = losses(root() / "exact");
  const std::vector<double> half = losses(root() / "short");
  ASSERT_EQ(exact.size(), half.size());
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(half[i], exact[i], 0.03 * exact[i]);

  // It begins with the weights of the file, not with roundings of them.
  std::string settings = unet_yaml("further", 1, "{start: exact/model, train_clip: true, precision: bf16}");
  settings.replace(settings.find("4.0e-3"), 6, "1.0e-9");
  run(settings, root());
  const family::ModelFiles start = family::model_files_to_write(root() / "exact" / "model");
  const checkpoint::Checkpoint state = checkpoint::open_checkpoint(root() / "further" / "state.safetensors");
  const auto expect_kept = [&](const fs::path& file, const std::string& name, const std::string& in_state) {
    const checkpoint::Checkpoint opened = checkpoint::open_checkpoint(file);
    const at::Tensor expected = checkpoint::materialize(opened, *opened.find(name)).to(at::kFloat);
    const at::Tensor found = checkpoint::materialize(state, *state.find("weight/" + in_state));
    EXPECT_LE((found - expected).abs().max().item<double>(), 1e-6) << name;
    EXPECT_GT((expected.to(at::kBFloat16).to(at::kFloat) - expected).abs().max().item<double>(), 1e-5) << name;
  };
  expect_kept(start.unet, "input_blocks.0.0.weight", "unet.input_blocks.0.0.weight");
  expect_kept(start.clip, "visual.conv1.weight", "visual.conv1.weight");
}

TEST_F(Training, RefusesWhatCannotBeMeant) {
  EXPECT_THAT(refusal(autoencoder_yaml("a", 2) + "learning: 1\n"), HasSubstr("learning"));
  EXPECT_THAT(refusal(autoencoder_yaml("a", 2) + "loss: {l3: 1}\n"), HasSubstr("loss.l3"));
  EXPECT_THAT(refusal("task: unet\noutput: a\nmodel: {sizes: model.json}\n"), HasSubstr("model.autoencoder"));
  EXPECT_THAT(refusal("task: unet\noutput: a\n"), HasSubstr("model.sizes"));
  EXPECT_THAT(refusal("task: gan\noutput: a\n"), HasSubstr("unet, autoencoder, small_decoder or distil"));
  EXPECT_THAT(refusal("task: small_decoder\noutput: a\nmodel: {sizes: model.json}\n"), HasSubstr("model.start"));
  EXPECT_THAT(refusal("task: autoencoder\nmodel: {sizes: model.json}\n"), HasSubstr("output is missing"));
  EXPECT_THAT(refusal("task: autoencoder\noutput: a\nmodel: {sizes: none.json}\n"), HasSubstr("none.json"));
  EXPECT_THAT(refusal("task: autoencoder\noutput: a\nsize: [30, 48]\nmodel: {sizes: model.json}\n"),
              HasSubstr("multiple of 4"));
  EXPECT_FALSE(fs::exists(root() / "a"));
}

TEST_F(Training, RefusesToGoOnWithOtherData) {
  run(autoencoder_yaml("ae", 4), root());
  std::string other = autoencoder_yaml("ae", 4);
  other.replace(other.find("count: 64"), 9, "count: 65");
  EXPECT_THAT(refusal(other), HasSubstr("65 procedural people"));
}

TEST_F(Training, RefusesAStateThatIsNone) {
  fs::create_directories(root() / "ae");
  std::ofstream(root() / "ae" / "state.safetensors") << "nonsense";
  EXPECT_THAT(refusal(autoencoder_yaml("ae", 4)), HasSubstr("state.safetensors"));
}

}  // namespace
}  // namespace unianimate::training

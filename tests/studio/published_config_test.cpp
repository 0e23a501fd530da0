#include "unianimate/studio/published_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/family/unianimate/model_sizes.h"

namespace unianimate::studio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The keys of the published files, in their order of kinds: what a person sets, then what belongs to the model.
constexpr const char* kModelPart = R"(
guide_scale: 2.5
vit_resolution: [224, 224]
use_fp16: True
batch_size: 1
latent_random_ref: True
chunk_size: 2
decoder_bs: 2
scale: 8
use_fps_condition: False
test_model: checkpoints/unianimate_16f_32f_non_ema_223000.pth
embedder: {
    'type': 'FrozenOpenCLIPTextVisualEmbedder',
    'layer': 'penultimate',
    'pretrained': 'checkpoints/open_clip_pytorch_model.bin'
}
auto_encoder: {
    'type': 'AutoencoderKL',
    'ddconfig': {
        'double_z': True,
        'z_channels': 4,
        'resolution': 256,
        'in_channels': 3,
        'out_ch': 3,
        'ch': 128,
        'ch_mult': [1, 2, 4, 4],
        'num_res_blocks': 2,
        'attn_resolutions': [],
        'dropout': 0.0,
        'video_kernel_size': [3, 1, 1]
    },
    'embed_dim': 4,
    'pretrained': 'checkpoints/v2-1_512-ema-pruned.ckpt'
}
UNet: {
    'type': 'UNetSD_UniAnimate',
    'config': None,
    'in_dim': 4,
    'dim': 320,
    'y_dim': 1024,
    'context_dim': 1024,
    'out_dim': 4,
    'dim_mult': [1, 2, 4, 4],
    'num_heads': 8,
    'head_dim': 64,
    'num_res_blocks': 2,
    'dropout': 0.1,
    'temporal_attention': True,
    'num_tokens': 4,
    'temporal_attn_times': 1,
    'use_checkpoint': True,
    'use_fps_condition': False,
    'use_sim_mask': False
}
video_compositions: ['image', 'local_image', 'dwpose', 'randomref', 'randomref_pose']
CPU_CLIP_VAE: True
)";

constexpr const char* kSchedulePart = R"(
    'schedule': 'linear_sd',
    'schedule_param': {
        'num_timesteps': 1000,
        "init_beta": 0.00085,
        "last_beta": 0.0120,
        'zero_terminal_snr': True,
    },
    'mean_type': 'v',
    'loss_type': 'mse',
    'var_type': 'fixed_small', # 'fixed_large',
    'rescale_timesteps': False,
    'noise_strength': 0.1
}
)";

std::string short_config() {
  return std::string(R"(# manual setting
max_frames: 32
resolution: [512, 768]  # or resolution: [768, 1216]
round: 1
ddim_timesteps: 30  # among 25-50
seed: 11 # 7
test_list_path: [
    # Format: [frame_interval, reference image, driving pose sequence]
    [2, "data/images/WOMEN-Blouses_Shirts-id_01_4_full.jpg", "data/saved_pose/WOMEN"],
    [3, "data/images/musk.jpg", "data/saved_pose/musk"]
]
partial_keys: [
                    ['image','local_image', "dwpose"], # reference image as the first frame
                    ['image', 'randomref', "dwpose"],
                ]
TASK_TYPE: inference_unianimate_entrance
use_DiffusionDPM: False
noise_prior_value: 949 # or 999, 949
Diffusion: {
    'type': 'DiffusionDDIM',)") +
         kSchedulePart + kModelPart;
}

std::string long_config() {
  return std::string(R"(resolution: [768, 1216]
round: 1
ddim_timesteps: 30
context_size: 32
context_stride: 1
context_overlap: 8
seed: 7
max_frames: "None" # 64, 96, "None" mean the length of original pose sequence
test_list_path: [
    [2, "data/images/musk.jpg", "data/saved_pose/musk"],
]
partial_keys: [
                    ['image', 'randomref', "dwpose"],
                ]
TASK_TYPE: inference_unianimate_long_entrance
context_batch_size: 1
noise_prior_value: 939 # or 999, 949
Diffusion: {
    'type': 'DiffusionDDIMLong',)") +
         kSchedulePart + kModelPart;
}

PublishedConfig parse(const std::string& text, const std::vector<std::string>& overrides = {},
                      const std::string& root = "") {
  return parse_published_config(text, "infer.yaml", {root, overrides});
}

std::string error_of(const std::string& text, ErrorKind kind, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, overrides);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "no error";
}

std::string with(const std::string& line) {
  return "test_list_path: [[1, a.jpg, poses]]\n" + line;
}

TEST(PublishedConfig, ReadsTheShortConfiguration) {
  const PublishedConfig config = parse(short_config(), {}, "/data");
  EXPECT_THAT(config.warnings, IsEmpty());
  EXPECT_EQ(config.files.unet, "/data/checkpoints/unianimate_16f_32f_non_ema_223000.pth");
  EXPECT_EQ(config.files.clip, "/data/checkpoints/open_clip_pytorch_model.bin");
  EXPECT_EQ(config.files.autoencoder, "/data/checkpoints/v2-1_512-ema-pruned.ckpt");
  ASSERT_THAT(config.items, SizeIs(2));
  EXPECT_EQ(config.items[1].frame_interval, 3);
  EXPECT_EQ(config.items[1].reference, "/data/data/images/musk.jpg");
  EXPECT_EQ(config.items[1].poses, "/data/data/saved_pose/musk");
  ASSERT_THAT(config.condition_sets, SizeIs(2));
  EXPECT_EQ(config.condition_sets[0].names(), "image,local_image,dwpose");
  EXPECT_EQ(config.base.width, 512);
  EXPECT_EQ(config.base.height, 768);
  EXPECT_EQ(config.base.frames, 32);
  EXPECT_EQ(config.base.sampling.steps, 30);
  EXPECT_EQ(config.base.seed, 11U);
  EXPECT_EQ(config.base.guidance_scale, 2.5);
  EXPECT_EQ(config.base.decode_batch, 2);
  EXPECT_EQ(config.base.noise_prior, 949);
  EXPECT_EQ(config.base.noise_prior_order, diffusion::NoisePriorOrder::kShort);
  EXPECT_EQ(config.base.context.size, 32);
  EXPECT_TRUE(config.base.comparison);
  EXPECT_EQ(config.base.pose_order, family::PoseOrder::kPublished);
  check_expected_sizes(config, family::sizes_of(family::ModelConfigs()));
}

TEST(PublishedConfig, ReadsTheLongConfiguration) {
  const PublishedConfig config = parse(long_config());
  EXPECT_THAT(config.warnings, IsEmpty());
  EXPECT_EQ(config.items[0].reference, "data/images/musk.jpg");
  EXPECT_EQ(config.base.frames, std::nullopt);
  EXPECT_EQ(config.base.noise_prior, 939);
  EXPECT_EQ(config.base.noise_prior_order, diffusion::NoisePriorOrder::kLong);
  EXPECT_EQ(config.base.context.size, 32);
  EXPECT_EQ(config.base.context.overlap, 8);
  EXPECT_EQ(config.base.context.schedule, diffusion::ContextSchedule::kPublished);
  check_expected_sizes(config, family::sizes_of(family::ModelConfigs()));
}

TEST(PublishedConfig, AShortClipIsOneWindowUnlessAWindowIsAskedFor) {
  const PublishedConfig whole = parse(short_config(), {"max_frames=100"});
  EXPECT_THAT(diffusion::context_windows(100, whole.base.context, 0), SizeIs(1));
  const PublishedConfig all = parse(short_config(), {"max_frames=None"});
  EXPECT_THAT(diffusion::context_windows(500, all.base.context, 0), SizeIs(1));
  const PublishedConfig windows = parse(short_config(), {"max_frames=100", "context_size=16"});
  EXPECT_EQ(windows.base.context.size, 16);
  EXPECT_EQ(windows.base.context.overlap, 8);
}

TEST(PublishedConfig, MinimalConfigurationsTakeThePublishedDefaults) {
  const PublishedConfig config = parse(with(""));
  EXPECT_TRUE(config.files.unet.empty());
  EXPECT_THAT(config.condition_sets, ElementsAre(family::ConditionSet()));
  EXPECT_EQ(config.base.noise_prior, 949);
  EXPECT_EQ(parse(with("TASK_TYPE: inference_unianimate_long_entrance")).base.noise_prior, 939);
  EXPECT_EQ(parse(with("Diffusion: {type: DiffusionDDIMLong}")).base.context.size, 32);
}

TEST(PublishedConfig, WarnsOfUnknownKeysWithTheirLines) {
  const PublishedConfig config = parse(with("my_key: 3\nUNet:\n  depth: 4\n"));
  EXPECT_THAT(config.warnings, ::testing::UnorderedElementsAre(HasSubstr("infer.yaml, line 2: my_key is not a key"),
                                                               HasSubstr("line 4: UNet.depth is not a key")));
}

TEST(PublishedConfig, OverridesComeBeforeTheFile) {
  const PublishedConfig config =
      parse(short_config(), {"seed=99", "UNet.dim=32", "auto_encoder.ddconfig.ch_mult=[1, 2]", "resolution=[64,128]"});
  EXPECT_EQ(config.base.seed, 99U);
  EXPECT_EQ(config.base.width, 64);
  family::ModelConfigs models;
  models.unet.dim = 32;
  models.autoencoder.ch_mult = {1, 2};
  check_expected_sizes(config, family::sizes_of(models));
}

TEST(PublishedConfig, OverridesMayAddKeysAndMapsTheFileLacks) {
  EXPECT_EQ(parse(with(""), {"Diffusion.type=DiffusionDDIMLong"}).base.noise_prior, 939);
}

TEST(PublishedConfig, SaysWhatHasNoEffect) {
  EXPECT_THAT(parse(with("use_fp16: True")).warnings, ::testing::IsEmpty());
  EXPECT_THAT(parse(with(""), {"use_fp16=True", "UNet.dropout=0.1"}).warnings,
              ::testing::UnorderedElementsAre("--set use_fp16 has no effect in this program",
                                              "--set UNet.dropout has no effect in this program"));
  EXPECT_THAT(parse(with("context_overlap: 4")).warnings, ElementsAre(HasSubstr("no effect without context_size")));
  const PublishedConfig config = parse(with("decoder_bs: 100"));
  EXPECT_EQ(config.base.decode_batch, 64);
  EXPECT_THAT(config.warnings, ElementsAre(HasSubstr("decoder_bs is 100, of which 64 are decoded at once")));
}

TEST(PublishedConfig, KnowsBackslashesOfWindowsPaths) {
  const char* const hint = "a backslash begins an escape: write paths with '/'";
  EXPECT_THAT(error_of(R"(test_list_path: [[1, "C:\data\p.png", "C:\data\poses"]])"
                       "\n"
                       R"(test_model: "C:\models\unet.pth")",
                       ErrorKind::kInput),
              HasSubstr(hint));
  EXPECT_THAT(error_of(R"(test_list_path: [[1, "C:\new\text.png", b]])", ErrorKind::kUsage), HasSubstr(hint));
}

TEST(PublishedConfig, RefusesBadOverrides) {
  EXPECT_THAT(error_of(short_config(), ErrorKind::kUsage, {"sed=3"}), HasSubstr("--set sed: the configuration has no"));
  EXPECT_THAT(error_of(short_config(), ErrorKind::kUsage, {"UNet.deep.dim=3"}), HasSubstr("--set UNet.deep.dim"));
  EXPECT_THAT(error_of(short_config(), ErrorKind::kUsage, {"seed"}), HasSubstr("key=value"));
  EXPECT_THAT(error_of(short_config(), ErrorKind::kUsage, {"=3"}), HasSubstr("key=value"));
  EXPECT_THAT(error_of(short_config(), ErrorKind::kUsage, {"seed.x=3"}), HasSubstr("seed is no map"));
  EXPECT_THAT(error_of(short_config(), ErrorKind::kUsage, {"seed=abc"}),
              HasSubstr("--set seed must be a whole number"));
  EXPECT_THAT(error_of(short_config(), ErrorKind::kInput, {"seed=[1"}), HasSubstr("--set seed, line 1: this is not"));
}

struct BadLine {
  const char* line;
  const char* message;
};

std::ostream& operator<<(std::ostream& out, const BadLine& bad) {
  return out << bad.line;
}

class BadValue : public ::testing::TestWithParam<BadLine> {};

TEST_P(BadValue, IsRefusedWithKeyLineExpectedAndFound) {
  EXPECT_THAT(error_of(with(GetParam().line), ErrorKind::kUsage), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadValue,
    ::testing::Values(
        BadLine{"seed: eleven", "infer.yaml, line 2: seed must be a whole number from 0"},
        BadLine{"seed: -1", "found '-1'"}, BadLine{"seed: 1.5", "found '1.5'"},
        BadLine{"seed: 99999999999999999999", "seed must be"}, BadLine{"seed: [1]", "found a list of 1"},
        BadLine{"max_frames: 0", "max_frames must be a whole number from 1 to 1000000 or \"None\", found '0'"},
        BadLine{"max_frames: {a: 1}", "found a map"}, BadLine{"resolution: 512", "[width, height]"},
        BadLine{"resolution: [512, 768, 3]", "[width, height]"},
        BadLine{"resolution: [512, x]", "resolution must be a whole number or a list of them, found 'x'"},
        BadLine{"round: 0", "round must be"}, BadLine{"ddim_timesteps: 1001", "from 1 to 1000"},
        BadLine{"guide_scale: .nan", "guide_scale must be a number from 0 to 100"},
        BadLine{"guide_scale: .inf", "guide_scale must be"}, BadLine{"scale: 4", "scale must be 8, the only value"},
        BadLine{"context_stride: 2", "context_stride must be 1"}, BadLine{"batch_size: 2", "batch_size must be 1"},
        BadLine{"use_DiffusionDPM: True", "use_DiffusionDPM must be False, the only value this program implements"},
        BadLine{"latent_random_ref: False", "latent_random_ref must be True"},
        BadLine{"noise_prior_value: 1000", "from 0 to 999"},
        BadLine{"context_size: 4\ncontext_overlap: 4", "context_overlap must be smaller than context_size 4"},
        BadLine{"TASK_TYPE: train", "TASK_TYPE must be inference_unianimate_entrance or"},
        BadLine{"TASK_TYPE: inference_unianimate_entrance\nDiffusion: {type: DiffusionDDIMLong}",
                "is for short videos"},
        BadLine{"Diffusion: {mean_type: eps}", "Diffusion.mean_type must be 'v', the only one"},
        BadLine{"Diffusion: {schedule_param: {last_beta: 0.02}}", "last_beta must be 0.012"},
        BadLine{"Diffusion: {schedule_param: {zero_terminal_snr: False}}", "zero_terminal_snr must be True"},
        BadLine{"Diffusion: {noise_strength: 0.2}", "noise_strength must be 0.1"},
        BadLine{"Diffusion: [1]", "Diffusion must be a map of keys and values, found a list of 1"},
        BadLine{"partial_keys: [[image, image]]", "line 2: partial_keys: conditions name 'image' twice"},
        BadLine{"partial_keys: [[sound]]", "found 'sound'"}, BadLine{"partial_keys: [image]", "a list of lists"},
        BadLine{"partial_keys: [[]]", "a list of lists"},
        BadLine{"partial_keys: [['image,dwpose']]", "a list of lists"},
        BadLine{"test_model: [a]", "test_model must be a text"}, BadLine{"test_model: \"a\\0b\"", "must be a text"},
        BadLine{"seed: 1\nseed: 2", "line 3: seed stands there twice"},
        BadLine{"? [1]\n: 2", "must be a word, found a list"},
        BadLine{"round: 10000\npartial_keys: [[image],[dwpose],[image],[image],[image],[image],[image],[image],[image],"
                "[image],[image]]",
                "asks for 110000 videos"}));

TEST(PublishedConfig, RefusesBadItems) {
  EXPECT_THAT(error_of("seed: 1", ErrorKind::kUsage), HasSubstr("asks for 0 videos"));
  EXPECT_THAT(error_of("test_list_path: list.txt", ErrorKind::kUsage), HasSubstr("[frame interval, picture, folder"));
  EXPECT_THAT(error_of("test_list_path: [[2, a.jpg]]", ErrorKind::kUsage), HasSubstr("found a list of 2"));
  EXPECT_THAT(error_of("test_list_path: [[0, a.jpg, b]]", ErrorKind::kUsage),
              HasSubstr("a frame interval of at least"));
  EXPECT_THAT(error_of("test_list_path: [[1, '', b]]", ErrorKind::kUsage), HasSubstr("the path of a picture"));
  EXPECT_THAT(error_of("test_list_path: [[1, a, [b]]]", ErrorKind::kUsage), HasSubstr("the path of a folder"));
}

TEST(PublishedConfig, RefusesHostileYaml) {
  EXPECT_THAT(error_of("", ErrorKind::kInput), HasSubstr("must be a YAML map"));
  EXPECT_THAT(error_of("[1, 2]", ErrorKind::kInput), HasSubstr("must be a YAML map"));
  EXPECT_THAT(error_of("a: [1", ErrorKind::kInput), HasSubstr("is not valid YAML"));
  EXPECT_THAT(error_of(std::string("seed: 1\n\0seed: 2\n", 17), ErrorKind::kInput),
              HasSubstr("its byte 8 is the control"));
  EXPECT_THAT(error_of("seed: 1\n\4: ", ErrorKind::kInput), HasSubstr("0x04"));
  EXPECT_THAT(error_of("seed: 1\n---\nseed: 2\n", ErrorKind::kInput), HasSubstr("more than one YAML document"));
  EXPECT_THAT(error_of("a: &x [1]\nb: *x", ErrorKind::kInput), HasSubstr("line 2"));
  EXPECT_THAT(error_of("a: " + std::string(100'000, '['), ErrorKind::kInput), HasSubstr("nested more than 8 deep"));
  EXPECT_THAT(error_of(std::string(100'000, '{'), ErrorKind::kInput), HasSubstr("infer.yaml"));
  EXPECT_THAT(error_of("a: " + std::string(2 << 20, 'x'), ErrorKind::kInput), HasSubstr("at most 1 MiB"));
  std::string many = "a: [";
  for (int i = 0; i < 200'000; ++i) many += "1,";
  EXPECT_THAT(error_of(many + "]", ErrorKind::kInput), HasSubstr("more than 100000 values"));
}

TEST(PublishedConfig, ReadsFilesAndTheModelDescriptionBesideTheUNet) {
  const unianimate::testing::TemporaryFolder folder;
  std::ofstream(folder / "infer.yaml") << with("test_model: unet.pth");
  EXPECT_TRUE(read_published_config(folder / "infer.yaml", {folder.path(), {}}).files.description.empty());
  std::ofstream(folder / "model.json") << "{}";
  EXPECT_EQ(read_published_config(folder / "infer.yaml", {folder.path(), {}}).files.description, folder / "model.json");
  EXPECT_THROW(read_published_config(folder / "nothing.yaml", {}), Error);
  EXPECT_THROW(read_published_config(folder.path(), {}), Error);
}

TEST(CheckExpectedSizes, NamesBothSizes) {
  family::ModelConfigs models;
  models.unet.dim_mult = {1, 2};
  try {
    check_expected_sizes(parse(short_config()), family::sizes_of(models));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("UNet.dim_mult is [1, 2, 4, 4], but the models' files say [1, 2]"));
  }
}

TEST(ListAnimations, GoesThroughRoundsItemsAndConditionSetsWithPublishedNames) {
  std::vector<std::string> names;
  std::vector<std::uint64_t> seeds;
  for (const ConfiguredAnimation& animation : list_animations(parse(short_config(), {"round=2"}))) {
    names.push_back(animation.file_name);
    seeds.push_back(animation.request.seed);
  }
  EXPECT_THAT(seeds, ElementsAre(11, 11, 11, 11, 12, 12, 12, 12));
  EXPECT_EQ(names[0], "rank_01_00_00_seed_11_image_local_image_dwpose_WOMENBlouses_Shirtsid_01_4_full_768x512.mp4");
  EXPECT_EQ(names[3], "rank_01_00_01_seed_11_image_randomref_dwpose_musk_768x512.mp4");
  EXPECT_EQ(names[6], "rank_01_00_03_seed_12_image_local_image_dwpose_musk_768x512.mp4");
}

TEST(ListAnimations, NamesKeepLettersDigitsUnderscoresAndSpacesUpToTheFirstDot) {
  const auto name_of = [](const std::string& picture) {
    const std::string text = "test_list_path: [[1, '" + picture + "', poses]]\nresolution: [64, 128]";
    const std::string name = list_animations(parse(text))[0].file_name;
    const std::string before = "rank_01_00_00_seed_11_image_randomref_dwpose_";
    const std::string after = "_128x64.mp4";
    return name.substr(before.size(), name.size() - before.size() - after.size());
  };
  EXPECT_EQ(name_of("dir.x/a b-c(1)!.final.jpg"), "a bc1");
  EXPECT_EQ(name_of("Füße_人物・é—.png"), "Füße_人物é");
  EXPECT_EQ(name_of("../-;$.png"), "");
}

}  // namespace
}  // namespace unianimate::studio

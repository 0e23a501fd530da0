// The networks of LPIPS, FID and FVD against the public packages (tests/tools/perceptual_measures.py), with weights
// made by a rule from their names.
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "support/golden_file.h"
#include "support/rule.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/error.h"
#include "unianimate/evaluation/networks/perceptual_meter.h"

namespace unianimate::evaluation {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::rule_input;
using testing::rule_weight;

/// The script's rule_weight(): signals neither fade nor grow.
at::Tensor network_weight(const std::string& name, at::IntArrayRef shape) {
  const at::Tensor weight = rule_weight(name, shape);
  if (name.ends_with("running_mean")) return weight * 0.1;
  if (name.ends_with("running_var")) return weight * 0.1 + 1;
  if (shape.size() < 2) return weight;
  const at::Tensor louder = weight * std::sqrt(2.0);
  return name.starts_with("lin") ? louder.abs() : louder;
}

template <typename Network>
void fill(const Network& network) {
  for (const auto& [name, tensor] : network.named_parameters()) tensor.copy_(network_weight(name, tensor.sizes()));
}

Image picture_of(const at::Tensor& bytes) {
  const at::Tensor dense = bytes.contiguous();
  Image image(static_cast<int>(dense.size(1)), static_cast<int>(dense.size(0)));
  std::copy_n(dense.data_ptr<std::uint8_t>(), dense.numel(), image.pixels.begin());
  return image;
}

/// (1, h, w, 3) from −1 to 1
at::Tensor values(const at::Tensor& bytes) {
  return bytes.to(at::kFloat).unsqueeze(0) / 255 * 2 - 1;
}

class PerceptualGolden : public ::testing::Test {
 protected:
  testing::GoldenFile golden_{testing::golden_folder() / "perceptual.safetensors"};
  at::Tensor made_ = testing::rule_picture("made", 75, 101);
  at::Tensor truth_ = testing::rule_picture("truth", 75, 101);
  at::NoGradGuard no_grad_;

  void expect_lpips(LpipsTrunk trunk, const char* name) const {
    const Lpips network(trunk);
    fill(network);
    const at::Tensor between = made_.div(2, "floor") + truth_.div(2, "floor");
    const at::Tensor found =
        network.distance(at::cat({values(made_), values(made_)}), at::cat({values(truth_), values(between)}));
    EXPECT_LT(testing::relative_error(found, golden_.tensor(name)), 1e-5);
    EXPECT_EQ(network.distance(values(made_), values(made_)).item<float>(), 0);
  }
};

TEST_F(PerceptualGolden, LpipsOfAlexNet) {
  expect_lpips(LpipsTrunk::kAlexNet, "lpips_alex");
}

TEST_F(PerceptualGolden, LpipsOfVgg) {
  expect_lpips(LpipsTrunk::kVgg16, "lpips_vgg");
}

TEST_F(PerceptualGolden, InceptionsFeatures) {
  const InceptionV3 network;
  fill(network);
  const at::Tensor found = fid_features(network, picture_of(made_));
  ASSERT_EQ(found.sizes(), (std::vector<std::int64_t>{1, InceptionV3::kFeatures}));
  EXPECT_LT(testing::relative_error(found[0], golden_.tensor("fid_features")), 1e-5);
}

TEST_F(PerceptualGolden, I3dsFramesAndLogits) {
  const at::Tensor frame = fvd_frame(picture_of(made_));
  using at::indexing::Slice;
  EXPECT_LT(testing::relative_error(
                frame.index({Slice(), Slice(0, at::indexing::None, 17), Slice(0, at::indexing::None, 17)}),
                golden_.tensor("fvd_frame")),
            1e-5);
  std::vector<at::Tensor> frames;
  for (int i = 0; i < PerceptualMeter::kClipFrames; ++i) {
    frames.push_back(fvd_frame(picture_of(testing::rule_picture(fmt::format("frame{}", i), 60, 44))));
  }
  const I3d network;
  fill(network);
  const at::Tensor found = network.logits(at::stack(frames, 1).unsqueeze(0));
  EXPECT_LT(testing::relative_error(found[0], golden_.tensor("i3d_logits")), 1e-5);
}

// ---- distances

FeatureStatistics statistics(const at::Tensor& features) {
  FeatureStatistics result;
  result.add(features);
  return result;
}

/// The golden numbers' features, the second ones otherwise scaled and moved.
double distance_of(std::int64_t first, std::int64_t second, std::int64_t width) {
  return frechet_distance(statistics(rule_input("x", {first, width}).to(at::kDouble)),
                          statistics(1.5 * rule_input("y", {second, width}).to(at::kDouble) + 0.3));
}

TEST_F(PerceptualGolden, FrechetDistances) {
  const double full = golden_.tensor("frechet_full").item<double>();
  EXPECT_NEAR(distance_of(60, 45, 12), full, 1e-6 * full);
  const double low = golden_.tensor("frechet_low").item<double>();
  EXPECT_NEAR(distance_of(9, 7, 40), low, 1e-3 * low) << "fewer samples than features";
}

TEST(FrechetDistance, OfDiagonalCovariancesIsThatOfEachAxis) {
  // Two axes that do not vary together, of deviations 1 and 2 against 3 and 5, means apart by 7 and 0.
  const at::Tensor corners = at::tensor({-1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0}, at::kDouble).view({4, 2});
  const at::Tensor unit = corners * std::sqrt(0.75);
  const auto a = statistics(unit * at::tensor({1.0, 2.0}, at::kDouble));
  const auto b = statistics(unit * at::tensor({3.0, 5.0}, at::kDouble) + at::tensor({7.0, 0.0}, at::kDouble));
  EXPECT_NEAR(frechet_distance(a, b), 49 + 4 + 9, 1e-9);
  EXPECT_NEAR(frechet_distance(a, a), 0, 1e-9);
}

TEST(FeatureStatistics, AreTheSameInParts) {
  const at::Tensor features = rule_input("features", {20, 5}).to(at::kDouble) + 1e6;
  FeatureStatistics parts;
  parts.add(features.narrow(0, 0, 3));
  parts.add(features.narrow(0, 3, 17));
  EXPECT_EQ(parts.count(), 20);
  const at::Tensor moved = features - features.mean(0);
  EXPECT_LT((parts.mean() - features.mean(0)).abs().max().item<double>(), 1e-8);
  EXPECT_LT(testing::relative_error(parts.covariance(), at::matmul(moved.t(), moved) / 19), 1e-9);
}

// ---- files

class MetricWeights : public ::testing::Test {
 protected:
  template <typename Network>
  void write(const Network& network, const std::string& name, const std::string& prefix, bool whole = true) const {
    NamedTensors tensors;
    for (const auto& [key, tensor] : network.named_parameters()) {
      if (key.starts_with(prefix)) tensors.push_back({key, network_weight(key, tensor.sizes())});
    }
    if (!whole) tensors.pop_back();
    if (prefix == "features.") tensors.push_back({"classifier.6.bias", at::ones({1000})});
    checkpoint::save_safetensors(folder_ / name, tensors);
  }

  testing::TemporaryFolder folder_;
};

TEST_F(MetricWeights, AreReadByPublishedNamesAndWhatIsMissingIsTold) {
  const Lpips alex(LpipsTrunk::kAlexNet);
  write(alex, "alexnet-owt-7be5be79.safetensors", "features.");
  write(alex, "alex.safetensors", "lin");
  const MetricNetworks networks = load_metric_networks(folder_.path());
  ASSERT_TRUE(networks.lpips_alex);
  EXPECT_FALSE(networks.lpips_vgg || networks.inception || networks.i3d);
  fill(alex);
  const at::Tensor a = values(testing::rule_picture("a", 40, 40));
  const at::Tensor b = values(testing::rule_picture("b", 40, 40));
  EXPECT_EQ(networks.lpips_alex->distance(a, b).item<float>(), alex.distance(a, b).item<float>());
  ASSERT_EQ(networks.missing.size(), 3U);
  EXPECT_EQ(networks.missing[0].measure, "LPIPS (VGG)");
  EXPECT_THAT(networks.missing[0].why, HasSubstr("vgg16-397923af.pth is not in"));
  EXPECT_THAT(networks.missing[1].why, HasSubstr("pt_inception-2015-12-05-6726825d.pth"));
  EXPECT_THAT(networks.missing[2].why, HasSubstr("i3d_pretrained_400.pt"));
}

TEST_F(MetricWeights, OfOtherTensorsAreRefused) {
  const I3d i3d;
  write(i3d, "i3d_pretrained_400.safetensors", "", false);
  try {
    load_metric_networks(folder_.path());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("1 missing"));
  }
  std::ofstream(folder_ / "i3d_pretrained_400.safetensors") << "no tensors";
  EXPECT_THROW(load_metric_networks(folder_.path()), Error);
  EXPECT_THROW(load_metric_networks(folder_ / "nowhere"), Error);
}

TEST_F(MetricWeights, AreAskedForWhereThereAreNone) {
  const MetricNetworks networks = load_metric_networks({});
  ASSERT_EQ(networks.missing.size(), 4U);
  for (const NotMeasured& measure : networks.missing) EXPECT_THAT(measure.why, HasSubstr("--metric-weights"));
  PerceptualMeter meter(networks);
  meter.add(Image(8, 8), Image(8, 8));
  EXPECT_FALSE(meter.end_video().lpips_alex || meter.fid() || meter.fvd());
}

// ---- videos

TEST(PerceptualMeter, TakesMeansOverFramesAndClipsOfEachVideo) {
  MetricNetworks networks;
  networks.lpips_alex = std::make_unique<Lpips>(LpipsTrunk::kAlexNet);
  fill(*networks.lpips_alex);
  PerceptualMeter meter(networks);
  const Image a = picture_of(testing::rule_picture("a", 40, 48));
  const Image b = picture_of(testing::rule_picture("b", 40, 48));
  meter.add(a, b);
  const double whole = meter.end_video().lpips_alex.value();
  EXPECT_GT(whole, 0);
  meter.add(a, b);
  meter.add(a, a);
  EXPECT_NEAR(meter.end_video().lpips_alex.value(), whole / 2, 1e-7 * whole);
  EXPECT_FALSE(meter.fid());
  EXPECT_THROW(meter.add(Image(31, 40), Image(31, 40)), Error);
}

TEST(PerceptualMeter, LeavesFramesBehindTheLastClipOfAVideoOut) {
  MetricNetworks networks;
  networks.i3d = std::make_unique<I3d>();
  fill(*networks.i3d);
  PerceptualMeter meter(networks);
  const auto add = [](int frames, PerceptualMeter& to) {
    for (int i = 0; i < frames; ++i) {
      const Image frame = picture_of(testing::rule_picture(fmt::format("frame{}", i), 16, 16));
      to.add(frame, frame);
    }
    to.end_video();
  };
  add(15, meter);
  add(15, meter);
  EXPECT_EQ(meter.clips(), 0);
  EXPECT_FALSE(meter.fvd());
  PerceptualMeter sliding(networks, 2);
  add(19, sliding);
  EXPECT_EQ(sliding.clips(), 2) << "from the first and from the third frame";
  EXPECT_NEAR(sliding.fvd().value(), 0, 1e-6);
  EXPECT_THROW(PerceptualMeter(networks, 0), Error);
  EXPECT_THROW(PerceptualMeter(networks, 17), Error);
}

}  // namespace
}  // namespace unianimate::evaluation

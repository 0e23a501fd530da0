#include "pipeline/toy_family.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/random.h"

namespace unianimate::testing {

namespace {

using family::ClipGeometry;

/// x = (1 − t) x0 + t eps; t from 1 to 0 in equal steps.
class Flow final : public diffusion::NoiseProcess {
 public:
  [[nodiscard]] diffusion::Level at(double time) const override { return {time, (1 - time) * (1 - time), time * time}; }
  [[nodiscard]] std::vector<diffusion::LevelPair> steps(const diffusion::SamplerOptions& options) const override {
    const auto time = [&](std::int64_t i) {
      return static_cast<double>(options.steps - i) / static_cast<double>(options.steps);
    };
    std::vector<diffusion::LevelPair> pairs;
    pairs.reserve(static_cast<std::size_t>(options.steps));
    for (std::int64_t i = 0; i < options.steps; ++i) pairs.push_back({at(time(i)), at(time(i + 1))});
    return pairs;
  }
  [[nodiscard]] diffusion::Prediction prediction(const diffusion::Level& level, const at::Tensor& x,
                                                 const at::Tensor& output) const override {
    return diffusion::prediction_from_velocity(level, x, output);
  }
};

class Model final : public family::ClipModel {
 public:
  Model(const family::ClipInputs& inputs, const ClipGeometry& geometry)
      : poses_(inputs.poses),
        first_pose_(inputs.first_pose),
        frames_(inputs.frames),
        first_frame_(brightness_of(inputs.first_frame)),
        geometry_(geometry) {}

  [[nodiscard]] at::Tensor predict(const at::Tensor& windows, double time,
                                   std::span<const diffusion::ContextWindow> places, bool conditional,
                                   at::Tensor* features, family::WindowCarry* carry) override {
    const bool reuses = features != nullptr && features->defined();
    std::vector<at::Tensor> deep;
    std::vector<at::Tensor> outputs;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const at::Tensor window = windows.narrow(0, static_cast<std::int64_t>(i), 1);
      deep.push_back(reuses ? features->narrow(0, static_cast<std::int64_t>(i), 1) : toy_features(window));
      outputs.push_back(toy_velocity(window, time, pose_brightness(places[i]), first_frame_, conditional, deep.back()));
    }
    if (features != nullptr) *features = at::cat(deep);
    const at::Tensor output = at::cat(outputs);
    if (carry == nullptr) return output;
    const at::Tensor states = toy_states(carry->state.empty() ? at::Tensor() : carry->state.front(), windows);
    carry->state.clear();
    if (carry->next > 0) carry->state.push_back(states.select(2, carry->next - 1).clone());
    return output + kToyStateShare * states;
  }

 private:
  [[nodiscard]] at::Tensor pose_brightness(const diffusion::ContextWindow& window) const {
    std::vector<float> values;
    for (std::int64_t latent = window.first; latent < window.end(); ++latent) {
      const std::int64_t first = geometry_.frames_of(latent);
      const std::int64_t count = std::min(geometry_.frames_of(latent + 1), frames_) - first;
      values.push_back(poses_.of_frames(first_pose_ + first, count).to(at::kDouble).mean().item<float>() / 255);
    }
    return at::tensor(values);
  }

  const family::PosePictures& poses_;
  std::int64_t first_pose_;
  std::int64_t frames_;
  double first_frame_;
  const ClipGeometry& geometry_;
};

class Decoder final : public family::ClipDecoder {
 public:
  [[nodiscard]] std::vector<Image> next(const at::Tensor& latents) override {
    std::vector<Image> frames;
    for (const at::Tensor& latent : latents.squeeze(0).unbind(1)) {
      const int count = state_.defined() ? 4 : 1;
      state_ = toy_state(state_, latent);
      for (int i = 0; i < count; ++i) frames.push_back(toy_frame(state_, i));
    }
    return frames;
  }

 private:
  at::Tensor state_;
};

class Person final : public family::Reference {
 public:
  Person(double brightness, const ClipGeometry& geometry) : brightness_(brightness), geometry_(geometry) {}

  [[nodiscard]] at::Generator start(const at::Tensor& x, std::uint64_t seed,
                                    const std::function<void()>& touched) const override {
    at::Generator generator = make_generator(seed);
    toy_start(x, generator, brightness_);
    touched();
    return generator;
  }
  [[nodiscard]] std::unique_ptr<family::ClipModel> condition(const family::ClipInputs& inputs, Progress&) override {
    return std::make_unique<Model>(inputs, geometry_);
  }
  [[nodiscard]] std::unique_ptr<family::ClipDecoder> preview() const override { return std::make_unique<Decoder>(); }

 private:
  double brightness_;
  const ClipGeometry& geometry_;
};

class Toy final : public family::Family {
 public:
  explicit Toy(family::RuntimeOptions options) : options_(std::move(options)) {}

  [[nodiscard]] const ClipGeometry& geometry() const override { return geometry_; }
  [[nodiscard]] const diffusion::NoiseProcess& process() const override { return flow_; }
  [[nodiscard]] const family::RuntimeOptions& runtime() const override { return options_; }
  [[nodiscard]] std::vector<family::ModelSize> sizes() const override { return {}; }
  [[nodiscard]] std::vector<std::string> check() const override { return {"a toy"}; }
  [[nodiscard]] double operations(const family::ClipShape& window) const override {
    return static_cast<double>(window.elements());
  }
  [[nodiscard]] double encode_operations(const family::AnimateRequest& request) const override {
    return static_cast<double>(request.width) * request.height;
  }
  [[nodiscard]] family::WorkSeconds time_work(const family::AnimateRequest& /*request*/,
                                              const family::ClipShape& /*window*/) override {
    return kToySeconds;
  }
  [[nodiscard]] family::FeatureReuse feature_reuse(const family::ClipShape& window, std::int64_t below) const override {
    if (below > 0) throw Error(ErrorKind::kUsage, "the toy has one level");
    return {kToyShareAboveFeatures * operations(window),
            kToyChannels * window.height * window.width * std::int64_t{sizeof(float)}};
  }
  [[nodiscard]] std::int64_t carried_bytes(const family::ClipShape& window) const override {
    return window.height * window.width * std::int64_t{sizeof(float)};
  }
  [[nodiscard]] std::vector<family::MemoryUse> memory(const family::Workload& work) const override {
    return {{{true, true}, work.window.elements()}};
  }
  [[nodiscard]] std::unique_ptr<family::Reference> encode(const family::ReferencePictures& pictures,
                                                          const family::AnimateRequest&, const family::Residency&,
                                                          Progress&) override {
    return std::make_unique<Person>(brightness_of(pictures.original), geometry_);
  }
  [[nodiscard]] double decoding_operations(const family::ClipShape& latents, family::DecoderChoice) const override {
    return kToyDecoderOperations * static_cast<double>(latents.elements());
  }
  [[nodiscard]] bool has_small_decoder() const override { return false; }
  [[nodiscard]] std::unique_ptr<family::ClipDecoder> decoder(family::DecoderChoice, std::int64_t,
                                                             const family::Residency&, Progress&) override {
    return std::make_unique<Decoder>();
  }
  [[nodiscard]] Image reconstruct(const Image& picture, Progress&) override { return picture; }

 private:
  family::RuntimeOptions options_;
  Flow flow_;
  ClipGeometry geometry_{.channels = kToyChannels,
                         .pixels_per_latent = kToyPixelsPerLatent,
                         .side_unit = 2 * kToyPixelsPerLatent,
                         .first_frames = 1,
                         .frames_per_latent = 4,
                         .latents_decode_alone = false};
};

}  // namespace

at::Tensor toy_velocity(const at::Tensor& x, double time, const at::Tensor& brightness, double first_frame,
                        bool conditional, const at::Tensor& features) {
  const at::Tensor seen = 0.5 * x + features + 0.125 * time;
  return conditional ? seen + brightness.view({1, 1, -1, 1, 1}) * (1 + 0.25 * x) - 0.5 * first_frame : seen;
}

at::Tensor toy_features(const at::Tensor& x) {
  return 0.25 * x.mean(2, true);
}

at::Tensor toy_states(const at::Tensor& before, const at::Tensor& x) {
  at::Tensor state = before.defined() ? before : at::zeros_like(x.select(2, 0));
  std::vector<at::Tensor> states;
  for (const at::Tensor& latent : x.unbind(2)) states.push_back(state = 0.5 * state + latent);
  return at::stack(states, 2);
}

double brightness_of(const Image& picture) {
  const double sum = std::accumulate(picture.pixels.begin(), picture.pixels.end(), 0.0);
  return sum / static_cast<double>(picture.pixels.size()) / 255;
}

void toy_start(const at::Tensor& x, at::Generator& generator, double person) {
  x.copy_(at::randn(x.sizes(), generator, x.options()) + person);
}

at::Tensor toy_state(const at::Tensor& before, const at::Tensor& latent) {
  return before.defined() ? 0.5 * before + latent : latent;
}

Image toy_frame(const at::Tensor& state, int index) {
  const at::Tensor colors = (128 + 48 * state.contiguous() + 8 * index).clamp(0, 255).to(at::kByte);
  const auto side = static_cast<int>(kToyPixelsPerLatent);
  Image frame(static_cast<int>(state.size(2)) * side, static_cast<int>(state.size(1)) * side);
  const auto color = colors.accessor<std::uint8_t, 3>();
  for (int y = 0; y < frame.height; ++y) {
    for (int x = 0; x < frame.width; ++x) {
      std::uint8_t* pixel = &frame.row(y)[static_cast<std::size_t>(x) * Image::kChannels];
      for (int channel = 0; channel < static_cast<int>(kToyChannels); ++channel) {
        pixel[channel] = color[channel][y / side][x / side];
      }
      pixel[kToyChannels] = static_cast<std::uint8_t>(50 * index);
    }
  }
  return frame;
}

std::unique_ptr<family::Family> make_toy_family(const family::RuntimeOptions& options) {
  return std::make_unique<Toy>(options);
}

}  // namespace unianimate::testing

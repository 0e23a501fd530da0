// A family of models: all that the pipeline knows of it.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/diffusion/context_windows.h"
#include "unianimate/diffusion/noise_process.h"
#include "unianimate/family/clip_geometry.h"
#include "unianimate/family/pose_pictures.h"
#include "unianimate/family/recognised_model.h"
#include "unianimate/family/request.h"
#include "unianimate/family/runtime_options.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::family {

/// What stays in memory between the parts of the work; the rest is freed after its part and loaded anew.
struct Residency {
  bool all_models = true;
  bool denoiser = true;  ///< at least the model that is asked in every step
};

/// What a plan wants to know the memory of.
struct Workload {
  ClipShape window;                  ///< the largest one
  std::int64_t windows = 1;          ///< different ones of the whole video
  std::int64_t windows_at_once = 1;  ///< in one batch
  int width = 0;                     ///< of the video, in pixels
  int height = 0;
  DecoderChoice decoder = DecoderChoice::kFull;
  std::int64_t decode_batch = 1;
  std::optional<DecoderChoice> preview_decoder;  ///< that works between two steps, beside the model
  std::int64_t waiting_pictures = 0;             ///< bytes of decoded pictures beside the decoder
};

/// Highest bytes of models, activations and encoded conditions with so much of them kept.
struct MemoryUse {
  Residency residency;
  std::int64_t bytes = 0;
};

/// What it takes to reuse a model's deep features.
struct FeatureReuse {
  double operations = 0;   ///< of a pass over one window that takes them from an earlier one
  std::int64_t bytes = 0;  ///< of one pass over one window, in the memory of the device that computes
};

/// What a window leaves to the next one of the same step, for models that carry a state.
struct WindowCarry {
  std::vector<at::Tensor> state{};  ///< in whatever form; empty: the clip begins with this window
  std::int64_t next = 0;            ///< latents after which the next window begins; 0: there is none
};

/// Seconds that parts of the work are likely to take on this machine.
struct WorkSeconds {
  double load_encoders = 0;  ///< the models that encode the reference
  double encode = 0;         ///< the reference
  double load_denoiser = 0;
  double prepare_denoiser = 0;  ///< once, however often it is loaded
  double conditions = 0;        ///< of one window, before the first pass over it
  double pass = 0;              ///< of the denoiser over one window
  double load_decoder = 0;
  double prepare_decoder = 0;  ///< once
  double decode = 0;           ///< of one latent, by the request's decoder
};

/// Of the person, as read and as large as the video.
struct ReferencePictures {
  const Image& original;
  const Image& sized;
};

/// What one clip is conditioned on beside the reference.
struct ClipInputs {
  const PosePictures& poses;    ///< of the whole video; outlives the model that is made for the clip
  std::int64_t first_pose = 0;  ///< the picture of the clip's first frame
  std::int64_t frames = 0;      ///< of the clip. Its last latent may stand for more
  const Image& first_frame;     ///< what the clip begins with, as large as the video: the reference, or …
  bool continues = false;       ///< … a frame of the segment before
  ClipShape window;             ///< of all windows that the model will be asked for
};

/// The denoising model with its conditions, for one clip.
class ClipModel {
 public:
  virtual ~ClipModel() = default;

  /// The model's output for a batch of windows at a time of the family's noise process, with all conditions or with
  /// none. windows: (B, C, n, h, w), `places`: where in the clip each lies, in latents. Both tensors hold 32-bit floats
  /// and lie where the windows do, on the CPU or on the device that computes. `features`, where it is not null: of an
  /// undefined tensor the request's deep features are put there, in whatever form; a defined one holds those of an
  /// earlier call for the same windows and conditions, which are taken instead of computing them. `carry`, where it is
  /// not null: of one window whose predecessor left this, which becomes what it leaves itself; without features. Throws
  /// Error(kInput) where a pose picture cannot be read.
  [[nodiscard]] virtual at::Tensor predict(const at::Tensor& windows, double time,
                                           std::span<const diffusion::ContextWindow> places, bool conditional,
                                           at::Tensor* features, WindowCarry* carry) = 0;

 protected:
  ClipModel() = default;
  ClipModel(const ClipModel&) = default;
  ClipModel& operator=(const ClipModel&) = default;
};

/// Latents of one clip to frames. May carry state from part to part.
class ClipDecoder {
 public:
  virtual ~ClipDecoder() = default;

  /// The frames that the next latents (1, C, n, h, w) of the clip stand for, from its first latent on or, where
  /// latents_decode_alone, from any. 32-bit floats on the CPU or on the device that computes.
  [[nodiscard]] virtual std::vector<Image> next(const at::Tensor& latents) = 0;

 protected:
  ClipDecoder() = default;
  ClipDecoder(const ClipDecoder&) = default;
  ClipDecoder& operator=(const ClipDecoder&) = default;
};

/// A person as the models of a family see them, for one request. Outlived by neither the family nor the request.
class Reference {
 public:
  virtual ~Reference() = default;

  /// Fills x (1, C, n, h, w), contiguous 32-bit floats on the CPU, with what sampling starts from, and returns the
  /// generator, on the device that computes, from which the sampler draws. Everything random follows from `seed`.
  /// `touched` is called after each piece of x that was gone through.
  [[nodiscard]] virtual at::Generator start(const at::Tensor& x, std::uint64_t seed,
                                            const std::function<void()>& touched) const = 0;

  /// The model for a clip; loads it where it is not in memory. Frees it when it goes, unless it is to stay.
  [[nodiscard]] virtual std::unique_ptr<ClipModel> condition(const ClipInputs& inputs, Progress& progress) = 0;

  /// A quick look at clean latents, without a decoder.
  [[nodiscard]] virtual std::unique_ptr<ClipDecoder> preview() const = 0;

 protected:
  Reference() = default;
  Reference(const Reference&) = default;
  Reference& operator=(const Reference&) = default;
};

/// Opened once: sizes are known and files checked, weights are loaded when they are first needed. Not thread-safe.
/// The const functions load nothing.
class Family {
 public:
  virtual ~Family() = default;
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  [[nodiscard]] virtual const ClipGeometry& geometry() const = 0;
  [[nodiscard]] virtual const diffusion::NoiseProcess& process() const = 0;
  [[nodiscard]] virtual const RuntimeOptions& runtime() const = 0;
  /// Of all its models, which a configuration may expect others of.
  [[nodiscard]] virtual std::vector<ModelSize> sizes() const = 0;

  /// Looks at what loading would stumble over beyond sizes, such as LoRAs, and returns sentences about the files.
  /// Throws Error(kInput) or Error(kUsage).
  [[nodiscard]] virtual std::vector<std::string> check() const = 0;

  /// Floating-point operations of the model for one window, a multiply-add counted as two.
  [[nodiscard]] virtual double operations(const ClipShape& window) const = 0;
  /// Of encode() of a request's reference.
  [[nodiscard]] virtual double encode_operations(const AnimateRequest& request) const = 0;
  /// Tries out how fast this machine computes pieces of the models on windows of this shape, and loads pieces of their
  /// files: for a few seconds the first time that it is asked for a size. Throws Error(kInput) where a file cannot be
  /// read.
  [[nodiscard]] virtual WorkSeconds time_work(const AnimateRequest& request, const ClipShape& window) = 0;
  /// With the features below a level of the model reused. Throws Error(kUsage) where it has no such level.
  [[nodiscard]] virtual FeatureReuse feature_reuse(const ClipShape& window, std::int64_t below) const = 0;
  /// Bytes, in the memory of the device that computes, of the state that a window leaves to the next, with conditions
  /// or without. Throws Error(kUsage) where its models carry none.
  [[nodiscard]] virtual std::int64_t carried_bytes(const ClipShape& window) const = 0;
  /// Floating-point operations of decoding all these latents.
  [[nodiscard]] virtual double decoding_operations(const ClipShape& latents, DecoderChoice decoder) const = 0;
  /// Whether the models have a small decoder, which decoder() can then be asked for. Throws Error(kInput) where they
  /// have one that was trained for others.
  [[nodiscard]] virtual bool has_small_decoder() const = 0;
  /// One entry for each way to keep models in memory, from the most kept to the least.
  [[nodiscard]] virtual std::vector<MemoryUse> memory(const Workload& work) const = 0;

  /// `request` outlives the result. Throws Error of every kind.
  [[nodiscard]] virtual std::unique_ptr<Reference> encode(const ReferencePictures& pictures,
                                                          const AnimateRequest& request, const Residency& residency,
                                                          Progress& progress) = 0;
  /// For one clip; `batch` latents go through it at once. Frees its model when it goes, unless that is to stay.
  [[nodiscard]] virtual std::unique_ptr<ClipDecoder> decoder(DecoderChoice choice, std::int64_t batch,
                                                             const Residency& residency, Progress& progress) = 0;

  /// What comes back of a picture that becomes a latent and is decoded again: no video can be nearer to it for long.
  /// Its sides are multiples of geometry().side_unit. Keeps the models it loads.
  [[nodiscard]] virtual Image reconstruct(const Image& picture, Progress& progress) = 0;

 protected:
  Family() = default;
};

}  // namespace unianimate::family
